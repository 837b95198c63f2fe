"""The 33-bus feeder of Baran and Wu, the classic test case of distribution power flow.

References
----------
M. E. Baran, F. F. Wu, "Network reconfiguration in distribution systems for loss reduction and load balancing",
IEEE Transactions on Power Delivery 4(2), 1401-1407, 1989, https://doi.org/10.1109/61.25627, table II.

Buses are numbered 1 to 33 as in later work (0 to 32 in the paper). Only the 32 closed branches are here, not the five
open tie lines, so the feeder is radial. Branch 7-8 is 0.7114 + j0.2351 ohm, the value behind the 202.7 kW and
0.9131 pu that everybody checks against; some reprints have 1.7114 + j1.2351 ohm, which gives 211.0 kW and 0.9038 pu.
"""

import networkx as nx

NOMINAL_KV = 12.66

# from bus, to bus, r [ohm], x [ohm], load at the to bus: p [kW], q [kvar]
BRANCHES = (
    (1, 2, 0.0922, 0.0470, 100, 60),
    (2, 3, 0.4930, 0.2511, 90, 40),
    (3, 4, 0.3660, 0.1864, 120, 80),
    (4, 5, 0.3811, 0.1941, 60, 30),
    (5, 6, 0.8190, 0.7070, 60, 20),
    (6, 7, 0.1872, 0.6188, 200, 100),
    (7, 8, 0.7114, 0.2351, 200, 100),
    (8, 9, 1.0300, 0.7400, 60, 20),
    (9, 10, 1.0440, 0.7400, 60, 20),
    (10, 11, 0.1966, 0.0650, 45, 30),
    (11, 12, 0.3744, 0.1238, 60, 35),
    (12, 13, 1.4680, 1.1550, 60, 35),
    (13, 14, 0.5416, 0.7129, 120, 80),
    (14, 15, 0.5910, 0.5260, 60, 10),
    (15, 16, 0.7463, 0.5450, 60, 20),
    (16, 17, 1.2890, 1.7210, 60, 20),
    (17, 18, 0.7320, 0.5740, 90, 40),
    (2, 19, 0.1640, 0.1565, 90, 40),
    (19, 20, 1.5042, 1.3554, 90, 40),
    (20, 21, 0.4095, 0.4784, 90, 40),
    (21, 22, 0.7089, 0.9373, 90, 40),
    (3, 23, 0.4512, 0.3083, 90, 50),
    (23, 24, 0.8980, 0.7091, 420, 200),
    (24, 25, 0.8960, 0.7011, 420, 200),
    (6, 26, 0.2030, 0.1034, 60, 25),
    (26, 27, 0.2842, 0.1447, 60, 25),
    (27, 28, 1.0590, 0.9337, 60, 20),
    (28, 29, 0.8042, 0.7006, 120, 70),
    (29, 30, 0.5075, 0.2585, 200, 600),
    (30, 31, 0.9744, 0.9630, 150, 70),
    (31, 32, 0.3105, 0.3619, 210, 100),
    (32, 33, 0.3410, 0.5302, 60, 40),
)

# The paper gives no ratings. Chosen here: a 400 A trunk up to bus 6 (210 A at nominal load), 200 A beyond.
TRUNK_BUSES = 6
TRUNK_RATING_A = 400.0
LATERAL_RATING_A = 200.0


def baran_wu_33() -> nx.Graph:
    """Build the 33-bus feeder: 12.66 kV, 3.715 MW and 2.300 Mvar, source at bus 1 held at 1 pu.

    Returns
    -------
    networkx.Graph
        Attributes as ``meanwatt.model.network.feeder.feeder_from_graph`` reads them. ``rating_a`` is a choice of this
        project.
    """
    graph = nx.Graph(name="baran_wu_33")
    graph.add_node("1", nominal_kv=NOMINAL_KV, p_kw=0.0, q_kvar=0.0, source_voltage_pu=1.0)
    for start, end, r_ohm, x_ohm, p_kw, q_kvar in BRANCHES:
        graph.add_node(str(end), nominal_kv=NOMINAL_KV, p_kw=float(p_kw), q_kvar=float(q_kvar))
        rating_a = TRUNK_RATING_A if end <= TRUNK_BUSES else LATERAL_RATING_A
        graph.add_edge(str(start), str(end), r_ohm=r_ohm, x_ohm=x_ohm, rating_a=rating_a)
    return graph

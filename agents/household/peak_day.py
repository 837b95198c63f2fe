"""One day backward where the day's largest import so far is a part of the state: the Bellman step with its best use.

The value after a slot is linear in the largest import between two levels of its grid, because an import there moves it
to either with the right mean. So what an import of n kW costs is linear by pieces: the rate, and above the largest
import so far the rate plus what is left of the charge, (D − slope of the value) / Δ. Use solves U' = cost on each piece
in closed form (`meanwatt.agents.household.demand`), and the best piece is taken.
"""

from typing import Any

import numpy as np

from meanwatt.agents.household.backward_induction import TIE_USD
from meanwatt.agents.household.demand import utility_of_use, wanted_use
from meanwatt.agents.household.plans import reach_of_use
from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.numerics.compiled import compiled


@compiled
def net_at(
    rate: float,
    reference: float,
    pv: float,
    battery: float,
    demand: tuple[float, float, float],
    curtailable: bool,
    low: float,
    high: float,
) -> float:
    """Best net load between two bounds where a kWh costs, or earns, ``rate``. [kW]"""
    use = wanted_use(reference, rate, demand[0], demand[1], demand[2])
    sun = 0.0 if curtailable and rate < 0.0 else pv
    return min(max(use + battery - sun, low), high)


@compiled
def use_at(
    net: float, reference: float, pv: float, battery: float, demand: tuple[float, float, float], curtailable: bool
) -> float:
    """Best use at a given net load: that of all sun or, where it may be curtailed, the nearest to enough. [kW]"""
    least, most = reach_of_use(reference, demand[0], demand[1])
    use = net - battery + pv
    if curtailable and pv > 0.0:
        enough = wanted_use(reference, 0.0, demand[0], demand[1], demand[2])
        use = min(max(enough, net - battery), use)
    return min(max(use, least), most)


@compiled
def weigh_moves(worth: Floats, count: int, temperature: float, soft: bool, level: int, chances: Floats) -> float:
    """Value of a state whose moves are worth worth[level, j], and their chances where these are asked for."""
    best = -np.inf
    for j in range(count):
        best = max(best, worth[level, j])
    if temperature > 0.0:
        total = 0.0
        for j in range(count):
            total += np.exp((worth[level, j] - best) / temperature)
        for j in range(chances.size):
            chances[j] = np.exp((worth[level, j] - best) / temperature) / total
        return best + temperature * np.log(total) if soft else best
    ties = 0
    for j in range(chances.size):
        ties += worth[level, j] - best >= -TIE_USD
    for j in range(chances.size):
        chances[j] = 1.0 / ties if worth[level, j] - best >= -TIE_USD else 0.0
    return best


@compiled
def fill_peak_day(  # noqa: C901, PLR0913  # complexipy: ignore
    reference_kw: Floats,
    pv_kw: Floats,
    rates: Any,
    shock_levels: Floats,
    storage: Any,
    demand: tuple[float, float, float],
    numbers: tuple[float, float, float, float, bool, bool],
    peak: Any,
    kernels: Any,
    midnight: Floats,
    value: Floats,
    policy: Any,
) -> None:
    """Fill value[c, h, z, l, e] backward from midnight[c, z, e], and the policy where its arrays are not empty.

    ``storage`` is (moves, power (h, j), cost (h, j), bounds, given); ``numbers`` (Δ, D, discount per slot, temperature,
    whether values follow the entropy rule, whether sun may be curtailed); ``peak`` (counted, levels); ``kernels`` those
    of common states and shocks; ``policy`` (probability (c, h, e, z·l, j); net load, use, lower, upper (c, h, row, j)).
    """
    moves, power, cost, bounds, given = storage
    slot_hours, usd_per_kw, discount, temperature, soft, curtailable = numbers
    counted, level_kw = peak
    common_kernel, shock_kernel = kernels
    probability, net_table, use_table, lower_table, upper_table = policy
    states, slots, shocks, ranks, levels = value.shape
    count, filling = moves.size, probability.size > 0
    tomorrow = np.empty((shocks, levels))
    ahead = np.empty((shocks, ranks, levels))
    worth = np.empty((ranks, count))
    nothing, chances = np.empty(0), np.empty(count)
    piece_usd, piece_kw, piece_up = np.empty(ranks), np.empty(ranks), np.empty(ranks)
    piece_at = np.empty(ranks, np.int64)
    for c in range(states):
        for z in range(shocks):
            for e in range(levels):
                tomorrow[z, e] = 0.0
                for d in range(states):
                    tomorrow[z, e] += common_kernel[c, d] * midnight[d, z, e]
        for back in range(slots):
            h = slots - 1 - back
            for z in range(shocks):
                for rank in range(ranks):
                    for e in range(levels):
                        total = 0.0
                        for y in range(shocks):
                            after = tomorrow[y, e] if back == 0 else value[c, h + 1, y, rank, e]
                            total += shock_kernel[z, y] * after
                        ahead[z, rank, e] = discount * total
            bought, sold, pv = rates[0][c, h], rates[1][c, h], pv_kw[c, h]
            first, beyond = bounds[h, 0], bounds[h, 1]
            drawn = first == beyond
            for z in range(shocks):
                reference = reference_kw[c, h] * shock_levels[z]
                least, most = reach_of_use(reference, demand[0], demand[1])
                for e in range(levels):
                    low_move, high_move = (0, count) if drawn else (first, beyond)
                    low_move, high_move = max(low_move, -e - moves[0]), min(high_move, levels - e - moves[0])
                    for j in range(low_move, high_move):
                        to, battery = e + moves[j], power[h, j]
                        lowest = least + battery - pv
                        highest = most + battery - (0.0 if curtailable else pv)
                        for rank in range(ranks):
                            piece_usd[rank] = -np.inf
                        if counted[h] and highest > 0.0:
                            for back_rank in range(ranks - 1):
                                rank = ranks - 2 - back_rank
                                piece_usd[rank] = piece_usd[rank + 1]
                                piece_kw[rank], piece_up[rank] = piece_kw[rank + 1], piece_up[rank + 1]
                                piece_at[rank] = piece_at[rank + 1]
                                low, high = max(level_kw[rank], lowest), min(level_kw[rank + 1], highest)
                                if low > high:
                                    continue
                                gap = level_kw[rank + 1] - level_kw[rank]
                                slope = (ahead[z, rank + 1, to] - ahead[z, rank, to]) / gap
                                rate = bought + (usd_per_kw - slope) / slot_hours
                                net = net_at(rate, reference, pv, battery, demand, curtailable, low, high)
                                use = use_at(net, reference, pv, battery, demand, curtailable)
                                usd = slot_hours * (utility_of_use(use, reference, demand[0], demand[2]) - bought * net)
                                usd += ahead[z, rank, to] + slope * (net - level_kw[rank]) - usd_per_kw * net
                                if usd >= piece_usd[rank]:
                                    piece_usd[rank], piece_kw[rank], piece_at[rank] = usd, net, rank
                                    piece_up[rank] = (net - level_kw[rank]) / gap
                        bought_kw = bought_usd = sold_kw = sold_usd = -np.inf
                        if highest >= 0.0:
                            low = max(lowest, 0.0)
                            bought_kw = net_at(bought, reference, pv, battery, demand, curtailable, low, highest)
                            use = use_at(bought_kw, reference, pv, battery, demand, curtailable)
                            enjoyed = utility_of_use(use, reference, demand[0], demand[2])
                            bought_usd = slot_hours * (enjoyed - bought * bought_kw)
                        if lowest <= 0.0:
                            sold_kw = net_at(
                                sold, reference, pv, battery, demand, curtailable, lowest, min(highest, 0.0)
                            )
                            use = use_at(sold_kw, reference, pv, battery, demand, curtailable)
                            enjoyed = utility_of_use(use, reference, demand[0], demand[2])
                            sold_usd = slot_hours * (enjoyed - sold * sold_kw)
                        for rank in range(ranks):
                            following = ahead[z, rank, to]
                            best, net, at, up = -np.inf, 0.0, rank, 0.0
                            if bought_kw <= level_kw[rank] or rank == ranks - 1 or not counted[h]:
                                best, net = bought_usd + following, bought_kw
                            if piece_usd[rank] + usd_per_kw * level_kw[rank] > best:
                                best, net = piece_usd[rank] + usd_per_kw * level_kw[rank], piece_kw[rank]
                                at, up = piece_at[rank], piece_up[rank]
                            if sold_usd + following > best:
                                best, net, at, up = sold_usd + following, sold_kw, rank, 0.0
                            worth[rank, j] = best - cost[h, j]
                            if filling:
                                row = (e * shocks + z) * ranks + rank
                                net_table[c, h, row, j] = net
                                use_table[c, h, row, j] = use_at(net, reference, pv, battery, demand, curtailable)
                                lower_table[c, h, row, j], upper_table[c, h, row, j] = at, up
                    for rank in range(ranks):
                        if drawn:
                            total = 0.0
                            for j in range(low_move, high_move):
                                if given[h, e, j] > 0.0:
                                    total += given[h, e, j] * worth[rank, j]
                            value[c, h, z, rank, e] = total
                            if filling:
                                for j in range(count):
                                    probability[c, h, e, z * ranks + rank, j] = given[h, e, j]
                            continue
                        asked = chances[: high_move - low_move] if filling else nothing
                        value[c, h, z, rank, e] = weigh_moves(
                            worth[:, low_move:high_move], high_move - low_move, temperature, soft, rank, asked
                        )
                        if filling:
                            for j in range(count):
                                inside = low_move <= j < high_move
                                probability[c, h, e, z * ranks + rank, j] = asked[j - low_move] if inside else 0.0

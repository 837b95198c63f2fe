"""Kernels over the intervals of many customers: sums and peaks of runs of intervals, and ladders of tiers over runs."""

from meanwatt.agents.numerics.arrays import Floats, Ints
from meanwatt.agents.numerics.compiled import compiled


@compiled
def sum_runs(net: bool, load: Floats, generation: Floats, ends: Ints, place: Ints, runs: Floats, out: Floats) -> float:
    """What is drawn and fed in over runs of intervals, and the most drawn in one.

    Parameters
    ----------
    net
        Whether load and generation meet behind one meter.
    load, generation : (customer, interval)
        [kWh]
    ends : (run,)
        Index of the interval after each run's last.
    place : (run,)
        Where a run's numbers go to.
    runs : (2, customer, run)
        Filled with what is drawn and fed in over each run by itself; left alone if it is empty. [kWh]
    out : (3, customer, place)
        Zeros; drawn and fed in are added, the largest draw of an interval is kept. [kWh]

    Returns
    -------
    float
        The least load where it is below 0, else 0. [kWh]
    """
    least = 0.0
    for customer in range(load.shape[0]):
        start = 0
        for run in range(ends.size):
            drawn, fed, most = 0.0, 0.0, 0.0
            for interval in range(start, ends[run]):
                if net:
                    taken = load[customer, interval] - generation[customer, interval]
                    bought = max(taken, 0.0)
                    sold = bought - taken
                else:
                    sold = max(generation[customer, interval], 0.0)
                    bought = load[customer, interval] + (sold - generation[customer, interval])
                least = min(least, load[customer, interval])
                drawn += bought
                fed += sold
                most = max(most, bought)
            start = ends[run]
            to = place[run]
            out[0, customer, to] += drawn
            out[1, customer, to] += fed
            if runs.size:
                runs[0, customer, run] = drawn
                runs[1, customer, run] = fed
            out[2, customer, to] = max(out[2, customer, to], most)
    return least


@compiled
def sum_load_runs(load: Floats, ends: Ints, place: Ints, runs: Floats, out: Floats) -> float:
    """The same without generation."""
    least = 0.0
    for customer in range(load.shape[0]):
        start = 0
        for run in range(ends.size):
            drawn, most = 0.0, 0.0
            for interval in range(start, ends[run]):
                least = min(least, load[customer, interval])
                drawn += load[customer, interval]
                most = max(most, load[customer, interval])
            start = ends[run]
            to = place[run]
            out[0, customer, to] += drawn
            if runs.size:
                runs[0, customer, run] = drawn
                runs[1, customer, run] = 0.0
            out[2, customer, to] = max(out[2, customer, to], most)
    return least


@compiled
def climb_runs(kwh: Floats, first: Ints, places: Ints, limit: Floats, out: Floats) -> None:
    """Share the energy of runs out to the tiers of ladders, in the order of time.

    Parameters
    ----------
    kwh : (customer, run)
        Energy of each run, ≥ 0. [kWh]
    first : (run,)
        Index of the run with which the ladders begin anew.
    places : (run, 3)
        Month, period, and which of the ladders the run climbs.
    limit : (customer or 1, month, period, tier)
        Ends of the tiers, the last one infinite. [kWh]
    out : (customer, month, period, tier)
        Zeros, to which the energy is added. [kWh]
    """
    reached = out[0, 0, :, 0].copy()
    for customer in range(kwh.shape[0]):
        own = min(customer, limit.shape[0] - 1)
        for run in range(first.size):
            if first[run] == run:
                reached[:] = 0.0
            month, period, ladder = places[run, 0], places[run, 1], places[run, 2]
            low = reached[ladder]
            high = low + kwh[customer, run]
            reached[ladder] = high
            for tier in range(limit.shape[3]):
                top = limit[own, month, period, tier]
                if low < top:
                    out[customer, month, period, tier] += min(high, top) - low
                    low = top
                    if high <= top:
                        break

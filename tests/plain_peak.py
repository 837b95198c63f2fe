"""A game whose households carry the day's largest import in their state, judged from its exported arrays alone.

None of our solvers is used here; axes as in `meanwatt.analysis.output.export.game_arrays`, rates being at least 0.
"""

from itertools import pairwise

import numpy as np

Game = dict[str, np.ndarray]
DAYS = 2_000
"""Days after which an iteration ends as it is."""


def value_ahead(game: Game, value: np.ndarray, slot: int) -> np.ndarray:
    """Expected next value (c, e, z, l) of values (c, e, z, l); at midnight the largest import begins anew."""
    slots = game["net_load"].shape[1]
    if slot == slots - 1:
        tomorrow = np.einsum("cd,dez->cez", game["common_kernel"], value[..., 0])
        value = np.broadcast_to(tomorrow[..., None], value.shape)
    return np.asarray(game["discount_per_day"] ** (1 / slots) * np.einsum("zy,ceyl->cezl", game["shock_kernel"], value))


def best_import(game: Game, kind: int, slot: int, ahead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Worth and net load (c, e, z, l, j) of every move, each at its best use; −inf where a move is not open.

    Between two levels of the grid, and on either side of 0, the worth of a net load is a parabola: the best of all
    pieces is taken.
    """
    count = int(game["peak_levels"][kind])
    level_kw = game["peak_level_kw"][kind, :count]
    hours, price = game["slot_hours"], game["home_reference_price_usd_per_kwh"][kind]
    elasticity, flexibility = game["home_elasticity"][kind], game["home_flexibility"][kind]
    wanted = game["home_reference_kw"][kind, :, slot, None] * game["shock_levels"]
    reference, sun = wanted[:, None, :, None, None], game["home_pv_kw"][kind, :, slot][:, None, None, None, None]
    battery = game["home_power_kw"][kind, slot]
    lowest = (1 - flexibility) * reference + battery - sun
    highest = (1 + flexibility) * reference + battery - sun
    bought = game["seen_import_usd_per_kwh"][kind, :, slot, 0][:, None, None, None, None]
    sold = game["seen_export_usd_per_kwh"][kind, :, slot][:, None, None, None, None]
    charged = game["peak_usd_per_kw_day"][kind] if game["peak_counted"][kind, slot] else 0.0
    feasible = game["feasible_by_slot"][kind, slot]
    there = np.where(feasible, np.arange(len(feasible))[:, None] + game["moves"], 0)
    after = ahead[:, there].transpose(0, 1, 3, 4, 2)  # (c, e, z, l, j)
    held = level_kw[:, None]
    best, net = np.full((2, *after.shape), -np.inf)
    # without a charge the largest import stays; with one, an import above level l raises it
    edges = [-np.inf, 0.0, *(level_kw[1:] if charged else [np.inf])]  # no home draws more than the highest level
    for piece, (low, high) in enumerate(pairwise(edges)):
        rate, slope = (sold if high == 0 else bought), np.zeros((*after.shape[:3], 1, after.shape[4]))
        if charged and piece:
            gap = level_kw[piece] - level_kw[piece - 1]
            slope = (after[:, :, :, piece : piece + 1] - after[:, :, :, piece - 1 : piece]) / gap - charged
        raises = low >= held - 1e-15
        dearer = rate - np.where(raises, slope, 0.0) / hours
        kw = reference * (1 + elasticity * (1 - dearer / price)) + battery - sun
        kw = np.clip(kw, np.maximum(lowest, low), np.minimum(highest, high))
        bend = kw - battery + sun - reference
        usd = hours * (price * (bend - bend**2 / (2 * elasticity * reference)) - rate * kw)
        risen = after
        if charged and piece:
            start = after[:, :, :, piece - 1 : piece] - charged * (level_kw[piece - 1] - held)
            risen = np.where(raises, start + slope * (kw - level_kw[piece - 1]), after)
        usd = usd + risen - game["home_cost_usd"][kind, slot]
        better = (lowest <= high) & (highest >= low) & (usd > best) & feasible[:, None, None]
        best, net = np.where(better, usd, best), np.where(better, kw, net)
    return best, net


def respond(game: Game, kind: int) -> tuple[np.ndarray, np.ndarray]:
    """Policy and net load (c, h, e, z, l, j) by backward induction, day after day, by the entropy rule."""
    states, slots = game["net_load"].shape
    levels, count = int(game["levels"][kind]), int(game["peak_levels"][kind])
    eta = float(game["temperature"])
    value = np.zeros((states, game["policy"].shape[3], len(game["shock_kernel"]), count))
    policy, net_kw = np.zeros((2, *game["policy"][kind][..., :count, :].shape))
    for _ in range(DAYS):
        before = value
        for slot in range(slots - 1, -1, -1):
            worth, net = best_import(game, kind, slot, value_ahead(game, value, slot))
            given, worth = game["policy"][kind, :, slot, :levels, :, :count], worth[:, :levels]
            value, there = np.zeros_like(before), np.isfinite(worth)
            if game["chosen"][kind, slot]:
                best = worth.max(axis=-1, keepdims=True)
                weight = np.exp((worth - best) / eta)
                value[:, :levels] = best[..., 0] + eta * np.log(weight.sum(axis=-1))
                policy[:, slot, :levels] = weight / weight.sum(axis=-1, keepdims=True)
            else:  # nature draws
                value[:, :levels] = (given * np.where(there, worth, 0.0)).sum(axis=-1)
                policy[:, slot, :levels] = given
            net_kw[:, slot, :levels] = np.where(there, net[:, :levels], 0.0)
        change = (value - before)[:, :levels, :, 0]
        value = value - value[:, :levels].mean()
        if np.ptp(change) < 1e-14:
            break
    return policy, net_kw


def flow(game: Game, kind: int, policy: np.ndarray, net_kw: np.ndarray) -> np.ndarray:
    """Law (c, h, e, z, l) before the move of each slot: an import between two levels moves to their mean by chance."""
    states, slots = game["net_load"].shape
    levels, count = int(game["levels"][kind]), int(game["peak_levels"][kind])
    level_kw, chance = game["peak_level_kw"][kind, :count], game["common_probability"]
    backward = game["common_kernel"] * chance[:, None] / chance
    shocks = len(game["shock_kernel"])
    midnight = np.zeros((states, policy.shape[2], shocks))
    midnight[:, :levels] = 1.0 / (levels * shocks)
    law = np.zeros((states, slots, policy.shape[2], shocks, count))
    for _ in range(DAYS):
        mass = np.zeros_like(law[:, 0])
        mass[..., 0] = midnight
        for slot in range(slots):
            law[:, slot], moved = mass, np.zeros_like(mass)
            for c, e, z, rank, j in zip(*np.nonzero(mass[..., None] * policy[:, slot]), strict=True):
                part, to = mass[c, e, z, rank] * policy[c, slot, e, z, rank, j], e + game["moves"][j]
                top = max(level_kw[rank], net_kw[c, slot, e, z, rank, j] if game["peak_counted"][kind, slot] else 0.0)
                up = min(int(np.searchsorted(level_kw, top)), count - 1)
                share = (top - level_kw[up - 1]) / (level_kw[up] - level_kw[up - 1]) if up else 1.0
                moved[c, to, z, up] += part * share
                moved[c, to, z, up - 1] += part * (1 - share)
            mass = np.einsum("cezl,zy->ceyl", moved, game["shock_kernel"])
        following = np.einsum("cd,cezl->dez", backward, mass)
        done, midnight = np.abs(following - midnight).max() < 1e-15, following
        if done:
            break
    return law


def day_charge_usd(game: Game, kind: int, law: np.ndarray, policy: np.ndarray) -> float:
    """What a day's largest import costs in expectation: the level that the last move leads to, times the charge."""
    lower, upper = (game[name][kind, :, -1, ..., : law.shape[-1], :] for name in ("peak_lower", "peak_upper"))
    paid = game["peak_charge_usd"][kind]
    after = (1 - upper) * paid[lower] + upper * paid[np.minimum(lower + 1, len(paid) - 1)]
    weight = game["common_probability"][:, None, None, None, None] * law[:, -1, ..., None] * policy[:, -1]
    return float((weight * after).sum())

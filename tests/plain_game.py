"""An exported game judged from its arrays alone, in plain numpy: best response, flow, price and exploitability.

None of our solvers is used here; axes as in `meanwatt.analysis.output.export.game_arrays`.
"""

import numpy as np

Game = dict[str, np.ndarray]
DAYS = 5_000
"""Days after which an iteration ends as it is."""


def future(game: Game, value: np.ndarray, slot: int) -> np.ndarray:
    """Expected next value (c, e, z): the shock moves after every slot, the weather after the last one."""
    slots = game["net_load"].shape[1]
    if slot == slots - 1:
        value = np.einsum("cd,dez->cez", game["common_kernel"], value)
    return np.asarray(game["discount_per_day"] ** (1 / slots) * value @ game["shock_kernel"].T)


def q_values(game: Game, kind: int, value: np.ndarray, slot: int) -> np.ndarray:
    """Q (c, e, z, j) of one slot; −inf where a move is not feasible."""
    feasible = game["feasible_by_slot"][kind, slot]
    there = np.where(feasible, np.arange(len(feasible))[:, None] + game["moves"], 0)
    ahead = future(game, value, slot)[:, there].swapaxes(2, 3)
    return np.where(feasible[:, None], game["reward"][kind, :, slot][:, None] + ahead, -np.inf)


def _levels(game: Game, kind: int, j: int, slot: int) -> tuple[slice, slice]:
    """Levels from which a move is feasible in a slot, which are neighbours, and those that it leads to."""
    (levels,) = np.nonzero(game["feasible_by_slot"][kind, slot, :, j])
    if not levels.size:
        return slice(0), slice(0)
    assert levels[-1] - levels[0] == levels.size - 1
    move = int(game["moves"][j])
    return slice(levels[0], levels[-1] + 1), slice(levels[0] + move, levels[-1] + 1 + move)


def respond(game: Game, kind: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Value at midnight (c, e, z) and policy (c, h, e, z, j) by backward induction, day after day or once."""
    states, slots = game["net_load"].shape
    levels, shocks = int(game["levels"][kind]), len(game["shock_kernel"])
    soft = temperature > 0 and game["value_rule"] == 0
    value = np.zeros((states, game["policy"].shape[3], shocks)) + game["salvage_usd"][kind][:, None]
    policy = np.zeros(game["policy"].shape[1:])
    used = np.s_[:, :levels]
    for day in range(DAYS):
        before = value
        for slot in range(slots - 1, -1, -1):
            q = q_values(game, kind, value, slot)[used]
            if not game["chosen"][kind, slot]:  # nature draws
                given = game["policy"][kind][:, slot]
                policy[:, slot] = given
                value = np.zeros_like(value)
                value[used] = (given[used] * np.where(np.isfinite(q), q, 0.0)).sum(axis=-1)
                continue
            best = q.max(axis=-1, keepdims=True)
            weight = np.exp((q - best) / temperature) if temperature > 0 else (q >= best - 1e-12).astype(float)
            policy[:, slot, :levels] = weight / weight.sum(axis=-1, keepdims=True)
            value = np.zeros_like(before)
            value[used] = best[..., 0] + (temperature * np.log(weight.sum(axis=-1)) if soft else 0.0)
        if game["one_day"]:
            break
        change = (value - before)[used]
        if game["discount_per_day"] == 1.0:
            value = value - value[used].mean()
            if np.ptp(change, axis=1).max() < 1e-13:
                break
            if day > 50:  # lazy days break cycles
                value[used] = 0.5 * (value + before)[used]
        elif np.abs(change).max() < 1e-13:
            break
    return value, policy


def flow(game: Game, kind: int, policy: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """Law (c, h, e, z) before the move of each slot, from any start; that of a single day from its own."""
    chance = game["common_probability"]
    backward = game["common_kernel"] * chance[:, None] / chance
    states, slots = game["net_load"].shape
    levels, shocks = game["law"].shape[3:]
    midnight = np.zeros((states, levels, shocks))
    midnight[:, : int(game["levels"][kind])] = 1.0
    midnight /= midnight.sum(axis=(1, 2), keepdims=True)
    if start is not None:
        midnight = start
    law = np.zeros((states, slots, levels, shocks))
    moves = [[_levels(game, kind, j, slot) for j in range(len(game["moves"]))] for slot in range(slots)]
    if game["one_day"]:
        midnight = game["law"][kind][:, 0]
    for _ in range(1 if game["one_day"] else DAYS):
        mass = midnight
        for slot in range(slots):
            law[:, slot] = mass
            moved = np.zeros_like(mass)
            for j, (here, there) in enumerate(moves[slot]):
                moved[:, there] += mass[:, here] * policy[:, slot, here, :, j]
            mass = moved @ game["shock_kernel"]
        following = np.einsum("cd,cez->dez", backward, mass)
        done = np.abs(following - midnight).max() < 1e-15
        midnight = following
        if done:
            break
    return law


def price_gap_usd_per_kwh(game: Game) -> float:
    """How far the prices are from those that the laws and policies induce. [USD/kWh]"""
    load = np.einsum(
        "t,tchez,tchezj,tchzj->ch", game["share"], game["law"], game["policy"], game["net_load_kw"], optimize=True
    )
    price = np.interp(load + game["rest_load_kw"], game["supply_x"], game["supply_usd_per_kwh"])
    return float(np.abs(price - game["wholesale_usd_per_kwh"]).max())


def exploitability(game: Game) -> float:
    """What the mean household forgoes by its policy at the rewards given. [USD/day]"""
    discount = float(game["discount_per_day"])
    chance = game["common_probability"]
    total = 0.0
    for kind, share in enumerate(game["share"]):
        levels = int(game["levels"][kind])
        if levels == 1 and not game["one_day"]:
            continue
        policy, law = game["policy"][kind], game["law"][kind]
        weight = chance[:, None, None, None, None] * law[..., None] * policy
        own_gain = np.einsum("chezj,chzj->", weight, game["reward"][kind])
        best, _ = respond(game, kind, 0.0)
        start = chance[:, None, None] * law[:, 0]
        if game["one_day"]:
            end = np.einsum("cez,cezj->cej", law[:, -1], policy[:, -1])
            for e, j in zip(*np.nonzero(game["feasible"][kind]), strict=True):
                own_gain += float(chance @ end[:, e, j]) * game["salvage_usd"][kind, e + game["moves"][j]]
            lead = np.einsum("c,cez,cez->", chance, law[:, 0], best) - own_gain
        elif discount == 1.0:
            value = best.copy()
            for slot in range(law.shape[1] - 1, -1, -1):
                q = q_values(game, kind, value, slot)[:, :levels]
                now = q.max(axis=-1)
                if not game["chosen"][kind, slot]:
                    now = (policy[:, slot, :levels] * np.where(np.isfinite(q), q, 0.0)).sum(axis=-1)
                value = np.zeros_like(best)
                value[:, :levels] = now
            lead = (start * (value - best)).sum() / start.sum() - own_gain
        else:
            lead = (1 - discount) * (start * (best - policy_value(game, kind))).sum()
        total += share * lead
    return float(total)


def policy_value(game: Game, kind: int) -> np.ndarray:
    """Discounted value (c, e, z) at midnight of following the policy for ever."""
    law, policy = game["law"][kind], game["policy"][kind]
    own = np.zeros((law.shape[0], *law.shape[2:]))
    for _ in range(DAYS):
        before = own
        for slot in range(law.shape[1] - 1, -1, -1):
            q = np.nan_to_num(q_values(game, kind, own, slot), neginf=0.0)
            own = (policy[:, slot] * q).sum(axis=-1)
        if np.abs(own - before).max() < 1e-14:
            break
    return own

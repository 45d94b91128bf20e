"""Shapley values of a maximum: how much of its change each of its inputs answers for, in closed form.

The game. Player i brings `x_i` when present and `y_i`, its reference, when absent; the value of a set of players is the
maximum over all n, the present and the absent. Shapley's values are the only shares that add up to
`max(x) - max(y)`, treat equal players equally and give nothing to a player that changes nothing (Shapley, "A value for
n-person games", 1953). By definition they cost 2^n maxima; here they cost one ordering of the players.

Derivation. A maximum is an integral over thresholds, `max = constant + integral of [max > t] dt`, and Shapley values
are linear in the game, so that they are the integrals of those of the games [max > t], which only know 0 and 1.
Let `base` be the largest `min(x_i, y_i)`. Below it some player exceeds t whether present or absent: nobody matters.
At a t above it every `min(x_i, y_i)` is at most t, so player i exceeds t either only when present (`x_i > t`, *up*),
or only when absent (`y_i > t`, *down*), or never. With u up and d down players the game is 0 exactly when no up player
is in and all down players are. Let the players come in random order. An up player turns 0 into 1 if it is the first
of the up players and comes after every down player; a down player turns 1 into 0 if it is the last of the down players
and comes before every up player. Both need all d down players to come before all u up players, and a certain one to
stand at the border, for which the chances are

    up:   d! (u-1)! / (u+d)! = 1 / (u C(u+d, u))        down:   (d-1)! u! / (u+d)! = 1 / (d C(u+d, u))

of which the down players' count negative. Since the smaller of a player's two values is never above `base`, it matters
at a t between `base` and its height, the larger one. So with the heights in rising order, `base = h_0 <= h_1 <= ... <=
h_n`, u_k up and d_k down players from rank k on, and a_k = (h_k - h_(k-1)) / C(u_k + d_k, u_k), that of rank r has

    up:   sum of a_k / u_k over k <= r                  down:   -sum of a_k / d_k over k <= r

Equal heights leave stretches of no length between them, so that their order does not matter. No value is larger than
its player's own change, since at no threshold is a chance larger than 1.

Axis letter: n players.
"""

import torch
from torch import Tensor

#: Up to so many players (the largest pooling has 16) are ordered by counting, and chances are read from a table.
FEW = 16


def shapley_values(x: Tensor, y: Tensor) -> Tensor:
    """Each player's share in `x.amax(0) - y.amax(0)`.

    Args:
        x: (n, ...) what the players bring when present, for any number of games side by side.
        y: the same when they are absent.

    Returns:
        (n, ...) in float64 for more than `FEW` players, whose sums are long; otherwise in the type of x.
    """
    n_players = len(x)
    precise = x.dtype if n_players <= FEW else torch.float64
    base = torch.minimum(x, y).amax(0)
    height = torch.maximum(x, y).clamp_(min=base)
    rank = _ranks(height)
    heights = torch.empty_like(height).scatter_(0, rank, height).to(precise)  # rising
    is_up = torch.empty_like(rank, dtype=torch.bool).scatter_(0, rank, x > y)
    n_up = _count_from_here_on(is_up)
    n_in = torch.arange(n_players, 0, -1, device=x.device, dtype=n_up.dtype).view(-1, *(1,) * (x.dim() - 1))  # u + d
    stretches = heights.diff(dim=0, prepend=base[None].to(precise)) * _over_binomial(n_in, n_up, precise)
    up = (stretches / n_up.clamp(min=1)).cumsum(0)
    down = (stretches / (n_in - n_up).clamp(min=1)).cumsum(0)
    return torch.where(is_up, up, down.neg_()).gather(0, rank)


def _ranks(height: Tensor) -> Tensor:
    """(n, ...) int64: each player's place in rising order."""
    if len(height) > FEW:
        order = height.argsort(0)
        places = torch.arange(len(height), device=height.device).view(-1, *(1,) * (height.dim() - 1))
        return torch.empty_like(order).scatter_(0, order, places.expand_as(order))
    rank = torch.zeros(height.shape, dtype=torch.uint8, device=height.device)
    for player in range(len(height) - 1):  # counting, in bytes, is several times sooner than sorting so few
        above = height[player] <= height[player + 1 :]
        rank[player + 1 :] += above
        rank[player] += len(above) - above.sum(0, dtype=torch.uint8)
    return rank.long()


def _count_from_here_on(is_up: Tensor) -> Tensor:
    """(n, ...) int32: how many are up of this rank and of all higher ones."""
    before = is_up.cumsum(0, dtype=torch.int32)
    return before[-1:] - before + is_up


def _over_binomial(n: Tensor, k: Tensor, dtype: torch.dtype) -> Tensor:
    """1 / C(n, k) for n (n, 1, ...) and k (n, ...)."""
    n_players = len(n)
    numbers = torch.arange(n_players + 1, device=n.device)
    log_factorial = (numbers.double() + 1).lgamma()

    def formula(n: Tensor, k: Tensor) -> Tensor:
        return (log_factorial[k] + log_factorial[n - k] - log_factorial[n]).exp()

    if n_players > FEW:
        return formula(n, k)
    table = formula(numbers[:, None], numbers.minimum(numbers[:, None])).to(dtype)  # (n + 1, n + 1)
    return table.flatten().index_select(0, (n * (n_players + 1) + k).flatten()).view(k.shape)

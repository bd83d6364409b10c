"""Statistics of a batch that is shared out over several processes."""

from torch import Tensor, distributed


def over_all_ranks(share: Tensor) -> Tensor:
    """The mean over all processes of `share`, a mean over this process's equal part of the batch; in one process
    `share` itself.

    Its value is that of the whole batch, its gradient that of this process's part: DDP, which averages the gradients of
    all processes, then makes the gradient of a function of the whole batch. (A mean over processes of the function,
    such as an information, would be another function.)
    """
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return share
    whole = share.detach().clone()
    distributed.all_reduce(whole)
    return share + (whole / distributed.get_world_size() - share.detach())

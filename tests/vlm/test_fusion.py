import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.vlm.fusion import IGNORE, FusionError, expand_placeholders, fuse

IMAGE = 9


@given(
    st.lists(st.integers(0, 12), max_size=20),
    st.data(),
)
def test_expansion_keeps_the_text_and_repeats_each_image(ids: list[int], data: st.DataObject) -> None:
    counts = [data.draw(st.integers(1, 7)) for token in ids if token == IMAGE]
    expanded = expand_placeholders(ids, counts, IMAGE)
    assert len(expanded.ids) == len(ids) - len(counts) + sum(counts)
    assert [token for token in expanded.ids if token != IMAGE] == [token for token in ids if token != IMAGE]
    assert [end - start for start, end in expanded.spans] == counts
    assert all((expanded.ids[start:end] == IMAGE).all() for start, end in expanded.spans)
    assert [ids[position] for position in expanded.source] == expanded.ids.tolist()


def test_labels_move_along_and_never_supervise_an_image() -> None:
    expanded = expand_placeholders([1, IMAGE, 2, 3], [3], IMAGE)
    assert expanded.labels([IGNORE, IMAGE, 2, 3]).tolist() == [IGNORE, IGNORE, IGNORE, IGNORE, 2, 3]


@pytest.mark.parametrize("counts", [[], [2], [2, 2, 2]])
def test_a_wrong_number_of_images_is_refused(counts: list[int]) -> None:
    with pytest.raises(FusionError, match=rf"row 4: .* 2 image placeholders, but {len(counts)} images"):
        expand_placeholders([IMAGE, 1, IMAGE], counts, IMAGE, row=4)


def test_cutting_takes_text_but_never_part_of_an_image() -> None:
    expanded = expand_placeholders([1, IMAGE, 2, 3], [4], IMAGE)
    assert expanded.truncated(6).ids.tolist() == [1, IMAGE, IMAGE, IMAGE, IMAGE, 2]
    assert expanded.truncated(5).ids.tolist() == [1, IMAGE, IMAGE, IMAGE, IMAGE]
    assert expanded.truncated(7) is expanded
    for limit in (4, 1):
        with pytest.raises(FusionError, match=rf"row 2: .* position 5 of 7, the length limit is {limit}"):
            expanded.truncated(limit, row=2)


def test_numpy_and_torch_fuse_alike_and_leave_the_input_alone() -> None:
    ids = np.array([[1, IMAGE, IMAGE], [IMAGE, 2, 3], [4, 5, 6]])
    embeddings = np.random.default_rng(0).normal(size=(3, 3, 4)).astype(np.float32)
    features = [np.full((2, 4), 7, np.float32), np.full((1, 4), 8, np.float32), np.zeros((0, 4), np.float32)]
    fused = fuse(embeddings, ids, features, IMAGE)
    expected = embeddings.copy()
    expected[0, 1:], expected[1, 0] = 7, 8
    np.testing.assert_array_equal(fused, expected)
    tensors = [torch.from_numpy(part) for part in features]
    given_tensor = torch.from_numpy(embeddings.copy())
    torch.testing.assert_close(
        fuse(given_tensor, torch.from_numpy(ids), tensors, IMAGE), torch.from_numpy(expected)
    )
    torch.testing.assert_close(given_tensor, torch.from_numpy(embeddings))


def test_gradients_reach_features_and_only_the_text_rows_of_embeddings() -> None:
    ids = torch.tensor([[1, IMAGE, 2]])
    embeddings = torch.zeros(1, 3, 2, requires_grad=True)
    features = torch.zeros(1, 2, requires_grad=True)
    fuse(embeddings, ids, [features], IMAGE).sum().backward()
    assert features.grad is not None
    assert embeddings.grad is not None
    assert features.grad.tolist() == [[1, 1]]
    assert embeddings.grad[0, :, 0].tolist() == [1, 0, 1]


def test_a_mismatch_names_row_counts_and_limit() -> None:
    ids = np.array([[1, IMAGE], [IMAGE, IMAGE]])
    embeddings = np.zeros((2, 2, 4), np.float32)
    with pytest.raises(
        FusionError, match=r"row 1: 2 image placeholders but 1 image features \(length limit 2\)"
    ):
        fuse(embeddings, ids, [np.zeros((1, 4)), np.zeros((1, 4))], IMAGE, limit=2)
    with pytest.raises(FusionError, match="2 rows"):
        fuse(embeddings, ids, [np.zeros((1, 4))], IMAGE)

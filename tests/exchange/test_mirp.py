"""Tables of MIRP."""

import numpy as np
import pytest

from tests.exchange.conftest import Read, Refuse

TABLE = """\
sample_name;image_file_name;image_directory;image_modality;image_mask_label;image_settings_id;image_voxel_size_x;diag_init_img_dim_x;morph_volume;stat_mean;ih_mode_fbn_n32;cm_joint_max_d1_3d_v_mrg_fbs_w25.0;ngl_lde_d1_a0.0_3d_fbn_n32;wavelet_db1_level_1_lll_stat_mean
P1;a.nii.gz;/data/Meyer;mr;1;0;1.0;64;1000.5;3.5;7.0;0.25;1;2
P2;b.nii.gz;/data/Smith;mr;1;0;1.0;64;900;2.5;8.0;;3;4
"""
FEATURES = TABLE.splitlines()[0].split(";")[8:]


@pytest.mark.parametrize("delimiter", ";,")
def test_a_table_of_the_program(read: Read, delimiter: str) -> None:
    table = read(TABLE.replace(";", delimiter))
    assert table.format == "mirp"
    assert list(table.values) == FEATURES
    assert list(table.values.index) == ["P1", "P2"]
    expected = [[1000.5, 3.5, 7, 0.25, 1, 2], [900, 2.5, 8, np.nan, 3, 4]]
    np.testing.assert_array_equal(table.values, expected)
    assert list(table.known) == [
        "image_modality",
        "image_mask_label",
        "image_settings_id",
        "image_voxel_size_x",
    ]
    assert list(table.known["image_voxel_size_x"]) == [1, 1]
    assert "1 column diag_* left out" in table.notes


def test_features_without_the_columns_of_the_program(read: Read) -> None:
    lines = "ID,stat_mean,cm_contrast_d1_3d_avg_fbn_n16,rlm_sre_3d_avg_fbn_n16,diag_x\nA,1,2,3,4\n"
    table = read(lines)
    assert table.format == "mirp"
    assert table.values.shape == (1, 3)
    assert read("ID,stat_mean,size\nA,1,2\n").format == "generic"


def test_several_masks_of_a_sample_need_ids(refuse: Refuse) -> None:
    message = refuse(TABLE.replace("P2", "P1"))
    assert "column 'sample_name'" in message
    assert "2, 3" in message
    assert "Add a column 'case'" in message


def test_a_bad_cell(refuse: Refuse) -> None:
    assert "row 3, column 'stat_mean': expected a number, found 'x'" in refuse(
        TABLE.replace(";2.5;", ";x;")
    )

"""Files of signatures: what ships is what was published, and what is refused says why."""

import pytest

from centrum.errors import SignatureError, describe
from centrum.signature import (
    ImageTypes,
    Signature,
    load_shipped,
    parse_signature,
    read_signature,
    shipped,
)
from centrum.signature.images import bindings
from centrum.signature.names import decode_all

HEAD = "{name: n, source: s, positive: a, negative: b, intercept: 1, features: [%s]}"
ONE = "{feature: Mean, coefficient: 2}"


def test_table_3_of_the_publication():
    found = load_shipped("vcf-t2w-2024")
    assert dict(zip(found.features, found.coefficients, strict=True)) == {
        "Elongation": -0.485,
        "Minimum.1": -0.674,
        "Contrast.5": -0.770,
        "Mean.7": -0.779,
        "Median.6": -0.623,
        "SmallAreaEmphasis.6": 0.648,
        "Median.7": 0.500,
        "Minimum.9": -0.629,
    }
    assert found.intercept == -0.307
    assert (found.positive, found.negative) == ("malignant", "osteoporotic")
    assert (found.means, found.sds, found.cutoff, found.images) == (None,) * 4


@pytest.mark.parametrize("name", shipped())
def test_what_ships_can_be_read(name):
    assert "doi" in load_shipped(name).source


def test_everything_in_a_file_is_read(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: n\nsource: s\npositive: a\nnegative: b\nintercept: 1\ncutoff: 0.5\nnote: why\n"
        "images: Original + LoG:3 + wavelet\n"
        "features:\n- {feature: Mean, coefficient: 2, mean: 3, sd: 4}\n"
        "- {feature: X10Percentile.1, coefficient: -1, mean: 0, sd: 0.1}\n",
        encoding="utf-8",
    )
    assert read_signature(path) == Signature(
        name="n",
        source="s",
        features=("Mean", "X10Percentile.1"),
        coefficients=(2.0, -1.0),
        intercept=1.0,
        means=(3.0, 0.0),
        sds=(4.0, 0.1),
        positive="a",
        negative="b",
        cutoff=0.5,
        images=ImageTypes.parse("original+log:3+wavelet"),
        note="why",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{a: [", "x.yaml is not YAML"),
        ("just words", "x.yaml: a signature is a list of `key: value`"),
        (HEAD % "", "has no features"),
        (HEAD % f"{ONE}, {ONE}", "names Mean twice"),
        (HEAD % "{feature: Mean, coefficient: 2, sd: 1}", "mean and sd come together"),
        (HEAD % "{feature: Mean, coefficient: 2, mean: 1, sd: 0}", "features.0.sd: Input should"),
        (HEAD % "{feature: Mean, coefficient: .nan}", "features.0.coefficient: Input should"),
        (HEAD % f"{ONE}, {{feature: Id, coefficient: 1, mean: 1, sd: 1}}", "Mean have none"),
        (HEAD.replace("source", "sauce") % ONE, "x.yaml: sauce: Extra inputs are not permitted"),
        (HEAD.replace("name: n", "name: n, images: foo") % ONE, "Unknown image type 'foo'"),
    ],
)
def test_files_that_are_refused(text, message):
    with pytest.raises(SignatureError) as caught:
        parse_signature(text, "x.yaml")
    assert message in describe(caught.value)
    assert "x.yaml" in describe(caught.value)


def test_a_signature_that_is_not_there(tmp_path):
    with pytest.raises(SignatureError, match=r"no signature at .*missing\.yaml"):
        read_signature(tmp_path / "missing.yaml")
    with pytest.raises(SignatureError, match="There are vcf-t2w-2024"):
        load_shipped("vcf")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coefficients": (1.0,)}, "2 features and 1 coefficients"),
        ({"means": (1.0, 2.0)}, "needs both means and SDs"),
        ({"means": (1.0, 2.0), "sds": (1.0,)}, "2 features and 1 sds"),
        ({"means": (1.0, 2.0), "sds": (1.0, -1.0)}, "must be positive, found -1.0"),
    ],
)
def test_signatures_that_contradict_themselves(change, message):
    known = {"coefficients": (1.0, 2.0), "intercept": 0.0} | change
    with pytest.raises(SignatureError, match=message):
        Signature("n", "s", ("Mean", "Id"), **known)


WHOLE = HEAD % "{feature: Mean, coefficient: 2, mean: 1, sd: 3}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: é".encode("latin-1"), "s.yaml is not text in UTF-8"),
        (
            WHOLE.replace("coefficient: 2", "coefficient: 1" + "0" * 400).encode(),
            "features.0.coefficient: expected a smaller number",
        ),
        (WHOLE.replace("intercept: 1", "intercept: 2024-13-45").encode(), "s.yaml: intercept: "),
        (WHOLE.replace("sd: 3", "sd: 3, sd: 4").encode(), "'sd' occurs twice"),
        (WHOLE.replace("positive: a", "positive: B").encode(), "the two outcomes must differ"),
        (WHOLE.replace("Mean", "M" * 2000).encode(), "s.yaml: features.0.feature: "),
        (b"[" * 1000, "blocks lie within each other"),
        (b"\0" * 2**21, "s.yaml has more than 1 MB"),
    ],
)
def test_no_file_ends_in_another_error_than_its_own(content, said, tmp_path):
    (tmp_path / "s.yaml").write_bytes(content)
    with pytest.raises(SignatureError) as caught:
        read_signature(tmp_path / "s.yaml")
    assert said in str(caught.value)
    assert (caught.value.file, len(str(caught.value)) < 1000) == ("s.yaml", True)


def test_what_is_wrong_with_many_features_is_counted():
    terms = ", ".join("{feature: x}" for _ in range(50))
    with pytest.raises(SignatureError, match="and 30 more"):
        parse_signature(HEAD % terms, "x.yaml")


def test_names_that_count_without_end():
    assert decode_all("Mean." + "9" * 5000).candidates == ()
    assert decode_all("Mean\nMedian").candidates == ()


def test_too_many_unknown_sigmas_are_refused():
    logs = [f"log-sigma-{k}-0-mm-3D" for k in range(40)]
    with pytest.raises(SignatureError, match="too many to try"):
        bindings([f"log-sigma-?{k}-mm-3D_glcm_Id" for k in range(9)], logs)

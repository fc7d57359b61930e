"""Reading a manifest: what is accepted, what is noted, and every error with its place."""

import datetime
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from centrum.cohort import Case, Cohort, Level, check_files, read_manifest
from centrum.cohort.identity import bare_id
from centrum.cohort.manifest import examine_manifest
from centrum.cohort.schemes import find_scheme
from centrum.errors import ManifestError
from centrum.io.csv_text import csv_text

Write = Callable[..., Path]

HEAD = "case,patient,level,outcome,centre,age,sex,psa,image,mask:R1,mask:R2"
GOOD = (
    HEAD,
    "v1,Meyer,Th12,osteoporotic,A,71,F,1.5,i/1.nrrd,m/1.seg.nrrd#T12,n/1.nrrd",
    "v2,Meyer,L1,osteoporotic,A,71,F,,i/1.nrrd,m/1.seg.nrrd#L1,n/2.nrrd",
    "v3,Smith,L 1,malignant,B,63.5,m,7,i/3.nrrd,m/3.nrrd,n/3.nrrd",
)


def refusal(path: Path, **options: object) -> list[str]:
    """The lines of the error that reading `path` gives."""
    with pytest.raises(ManifestError) as caught:
        read_manifest(path, **options)  # type: ignore[arg-type]
    return str(caught.value).splitlines()


def changed(row: int, column: str, value: str) -> tuple[str, ...]:
    """The good manifest with another value in one cell."""
    rows = [line.split(",") for line in GOOD]
    rows[row - 1][rows[0].index(column)] = value
    return tuple(",".join(row) for row in rows)


def test_a_good_manifest(write: Write, tmp_path: Path) -> None:
    cohort = read_manifest(write(*GOOD))
    first, second, third = cohort.cases
    assert first == Case(
        "v1",
        "Meyer",
        "osteoporotic",
        Level("T", 12),
        "A",
        71.0,
        "F",
        {"psa": 1.5},
        {"default": str(tmp_path / "i/1.nrrd")},
        {"R1": str(tmp_path / "m/1.seg.nrrd#T12"), "R2": str(tmp_path / "n/1.nrrd")},
    )
    assert (first.row, second.row, third.row) == (2, 3, 4)
    assert second.covariates == {"psa": None}
    assert (third.level, third.sex) == (Level("L", 1), "M")
    assert cohort.readers == ("R1", "R2")
    assert cohort.outcomes == {"osteoporotic": 2, "malignant": 1}
    assert cohort.notes == ()


def test_numbers_are_levels_in_the_scheme_that_is_named(write: Write) -> None:
    path = write(*changed(4, "level", "12"))
    cohort = read_manifest(path, labels=find_scheme("verse"))
    assert cohort.cases[2].level == Level("T", 5)
    assert cohort.notes == ("levels read as verse labels in rows 4",)
    assert read_manifest(path, labels=find_scheme("totalspineseg")).cases[2].level == Level("C", 2)
    _, (problem,) = examine_manifest(path)
    assert (problem.row, problem.code) == (4, "level-needs-scheme")
    assert problem.remedy == "Name the scheme of the numbers: images.labels, or --labels."
    _, (problem,) = examine_manifest(path, labels=find_scheme("mrspineseg"))
    assert (problem.code, "12 is disc L4" in problem.text) == ("unknown-level", True)


def test_only_the_required_columns(write: Write) -> None:
    cohort = read_manifest(
        write("case,outcome,image,mask", "a,malignant,i,m", "b,osteoporotic,j,n")
    )
    case = cohort.cases[0]
    assert (case.patient, case.level, case.centre, case.age, case.sex) == (
        "a",
        None,
        None,
        None,
        None,
    )
    assert cohort.readers == ("reader",)
    assert cohort.sequences == ("default",)
    assert "every case counts as a patient of its own" in cohort.notes[0]


def test_heads_have_synonyms_in_any_case(write: Write) -> None:
    path = write(
        " ID ,Center,GENDER,Age (years),Patient_ID,Outcome,Image: T2w,Mask:R1",
        "1,A,w,70,p,malignant,i,m",
        "2,A,O,71,q,osteoporotic,j,n",
    )
    cohort = read_manifest(path)
    assert [case.id for case in cohort.cases] == ["1", "2"]
    assert [case.sex for case in cohort.cases] == ["F", "O"]
    assert (cohort.cases[0].centre, cohort.cases[0].age) == ("A", 70.0)
    assert cohort.sequences == ("T2w",)


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        *(("M", "M"), ("male", "M"), ("F", "F"), ("Female", "F"), ("w", "F"), ("o", "O")),
        *(("weiblich", "F"), ("Männl.", "M"), ("Frau", "F"), ("divers", "O"), ("女", "F")),
    ],
)
def test_sexes(write: Write, text: str, sex: str) -> None:
    assert read_manifest(write(*changed(4, "sex", text))).cases[2].sex == sex


@pytest.mark.parametrize("text", ["1", "2", "H", "V"])
def test_a_code_for_a_sex_is_asked_for(write: Write, text: str) -> None:
    (line,) = refusal(write(*changed(4, "sex", text)))[1:]
    assert f"found {text!r}. Write M, F or O: a number, or H, does not say" in line


def test_the_order_of_the_mask_columns_is_the_order_of_the_readers(write: Write) -> None:
    rows = ["case,outcome,image,mask:Z,mask:A", "a,malignant,i,,m", "b,osteoporotic,j,n,o"]
    cohort = read_manifest(write(*rows))
    assert cohort.readers == ("Z", "A")
    assert cohort.notes[-1] == "column 'mask:Z' is empty in row 2 (case a)"


def test_outcomes_are_compared_without_case_and_spaces(write: Write) -> None:
    rows = ["case,outcome,image,mask", "a, MALIGNANT ,i,m", "b,Osteo porotic,j,n"]
    assert set(read_manifest(write(*rows)).outcomes) == {"malignant", "osteoporotic"}


def test_other_outcomes_can_be_asked_for(write: Write) -> None:
    rows = ["case,outcome,image,mask", "a,lumbar,i,m", "b,Thoracic,j,n"]
    cohort = read_manifest(write(*rows), outcomes=("thoracic", "lumbar"))
    assert cohort.outcomes == {"lumbar": 1, "thoracic": 1}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_delimiters_and_encodings(write: Write, delimiter: str, encoding: str) -> None:
    rows = [row.replace(",", delimiter) for row in changed(4, "centre", "Köln")]
    cohort = read_manifest(write(*rows, encoding=encoding))
    assert [case.centre for case in cohort.cases] == ["A", "A", "Köln"]
    assert cohort.history[0].parameters["delimiter"] == delimiter
    western = encoding == "latin-1"
    assert cohort.history[0].parameters["encoding"] == ("cp1252" if western else encoding)
    assert any("read as cp1252" in note for note in cohort.notes) == western


def test_decimal_commas_are_read_and_noted(write: Write) -> None:
    rows = [row.replace(",", ";") for row in GOOD]
    rows[1] = rows[1].replace("71", "69,4").replace("1.5", "1,5")
    cohort = read_manifest(write(*rows))
    assert cohort.cases[0].age == 69.4
    assert cohort.cases[0].covariates == {"psa": 1.5}
    assert "column 'psa': decimal commas read as points in rows 2" in cohort.notes


def test_a_quoted_decimal_comma_in_a_file_with_commas(write: Write) -> None:
    rows = list(GOOD)
    rows[1] = rows[1].replace("1.5", '"1,5"')
    assert read_manifest(write(*rows)).cases[0].covariates == {"psa": 1.5}


def test_an_unquoted_decimal_comma_is_told_by_the_number_of_cells(write: Write) -> None:
    rows = list(GOOD)
    rows[1] = rows[1].replace("1.5", "1,5")
    assert "row 2: 12 cells under 11 column headings" in "\n".join(refusal(write(*rows)))


def test_a_comma_that_may_separate_thousands(write: Write) -> None:
    rows = [row.replace(",", ";").replace(";7;", ";1,234;") for row in GOOD]
    lines = refusal(write(*rows))
    assert lines[1].startswith("  row 4, column 'psa': '1,234' may be a thousand or a decimal")


def test_missing_values(write: Write) -> None:
    rows = ["case,outcome,level,age,sex,centre,psa,image,mask"]
    rows += ["a,malignant,NA,n/a,,nan,#N/A,i,m", "b,osteoporotic,L1,70,F,A,4,j,n"]
    case = read_manifest(write(*rows)).cases[0]
    assert (case.level, case.age, case.sex, case.centre) == (None, None, None, None)
    assert case.covariates == {"psa": None}


def test_covariates_are_numbers_or_text(write: Write) -> None:
    rows = ["case,outcome,image,mask,grade,scanner", "a,malignant,i,m,2,GE HDxt"]
    rows += ["b,osteoporotic,j,n,,"]
    first, second = read_manifest(write(*rows)).cases
    assert first.covariates == {"grade": 2.0, "scanner": "GE HDxt"}
    assert second.covariates == {"grade": None, "scanner": None}


def test_a_covariate_of_numbers_and_text(write: Write) -> None:
    rows = ["case,outcome,image,mask,grade", "a,malignant,i,m,2", "b,osteoporotic,j,n,2a"]
    assert refusal(write(*rows))[1] == "  row 3, column 'grade': expected a number, found '2a'"


def test_blank_rows_are_skipped_and_noted_and_rows_keep_their_numbers(write: Write) -> None:
    rows = (*GOOD[:2], "", ",,,", *GOOD[2:], "", "")
    cohort = read_manifest(write(*rows))
    assert [case.row for case in cohort.cases] == [2, 5, 6]
    assert cohort.notes == ("blank rows skipped: 3, 4",)


def test_line_breaks_in_quotes_do_not_shift_rows(write: Write) -> None:
    rows = ["case,outcome,image,mask,remark", 'a,malignant,i,m,"two\nlines"', "b,benign,j,n,"]
    assert refusal(write(*rows))[1].startswith("  row 3, column 'outcome'")


def test_one_class_only_is_noted(write: Write) -> None:
    cohort = read_manifest(write("case,outcome,image,mask", "a,malignant,i,m"))
    assert cohort.notes[-1] == "every case has the outcome 'malignant': no model can be fitted"


def test_paths_from_windows_and_absolute_paths(write: Write, tmp_path: Path) -> None:
    rows = ["case,outcome,image,mask", r"a,malignant,im\1.nrrd,/data/m.nrrd"]
    case = read_manifest(write(*rows)).cases[0]
    assert case.images["default"] == str(tmp_path / "im/1.nrrd")
    assert case.masks["reader"] == "/data/m.nrrd"


@pytest.mark.parametrize(
    ("row", "column", "value", "told"),
    [
        (2, "case", "", "the cell is empty"),
        (2, "case", "a/b", "no slash in it, found 'a/b'"),
        (2, "case", "..", "no slash in it, found '..'"),
        (3, "patient", "", "the cell is empty"),
        (3, "outcome", "", "the cell is empty"),
        (4, "outcome", "benign", "expected one of osteoporotic, malignant; found 'benign'"),
        (4, "level", "T12-L1", "Found 'T12-L1'"),
        (4, "age", "-1", "expected 0 to 120 years, found -1"),
        (4, "age", "121", "expected 0 to 120 years, found 121"),
        (4, "age", "63 years", "expected a number, found '63 years'"),
        (4, "sex", "x", "expected M, F or O (male, female, w, other); found 'x'"),
        (4, "image", "", "the case has no image"),
    ],
)
def test_bad_cells(write: Write, row: int, column: str, value: str, told: str) -> None:
    lines = refusal(write(*changed(row, column, value)))
    assert lines[0] == "cases.csv: 1 problem"
    assert lines[1].startswith(f"  row {row}, column '{column}': ")
    assert told in lines[1]


def test_a_case_without_any_mask(write: Write) -> None:
    rows = [*GOOD[:3], GOOD[3].replace("m/3.nrrd,n/3.nrrd", ",")]
    assert refusal(write(*rows))[1].startswith("  row 4, column 'mask:R1': the case has no mask")


@pytest.mark.parametrize("column", ["case", "outcome", "image", "mask"])
def test_missing_columns(write: Write, column: str) -> None:
    heads = [head for head in ("case", "outcome", "image", "mask") if head != column]
    lines = refusal(write(",".join(heads), ",".join("malignant" for _ in heads)))
    found = ", ".join(heads)
    assert f"  row 1: the column {column!r} is missing; found {found}. Add it" in "\n".join(lines)


@pytest.mark.parametrize(
    ("one", "two"), [("centre", "Center"), ("psa", "PSA"), ("image:T1", "Image:t1"), ("id", "case")]
)
def test_repeated_columns(write: Write, one: str, two: str) -> None:
    lines = refusal(write(f"case,outcome,image,mask,{one},{two}", "a,malignant,i,m,k,l"))
    assert any("mean the same" in line and repr(two) in line for line in lines)


def test_a_column_without_a_name(write: Write) -> None:
    lines = refusal(write("case,outcome,image,mask,,psa", "a,malignant,i,m,7,1"))
    assert lines[1].startswith("  row 2: column 5 has no name but a value")
    assert len(read_manifest(write("case,,outcome,image,mask", "a,,malignant,i,m"))) == 1


def test_a_name_that_is_taken(write: Write) -> None:
    lines = refusal(write("case,outcome,image,mask,Region", "a,malignant,i,m,lumbar"))
    assert lines[1].startswith("  row 1, column 'Region': this name is taken. Rename the column.")


def test_duplicated_ids(write: Write) -> None:
    lines = refusal(write(*changed(4, "case", "V1")))
    assert lines[1].startswith("  row 4: the case id 'v1' is used in rows 2 (case v1), 4 (case V1)")


def test_a_patient_with_both_outcomes_and_no_word_of_who(write: Write) -> None:
    lines = refusal(write(*changed(3, "outcome", "malignant")))
    assert lines[1].startswith("  row 2: one patient has the outcomes malignant and osteoporotic")
    assert "rows 2 (case v1), 3 (case v2)" in lines[1]
    assert "Meyer" not in "\n".join(lines)


def test_a_patient_with_both_outcomes_can_be_allowed_and_is_noted(write: Write) -> None:
    path = write(*changed(3, "outcome", "malignant"))
    cohort = read_manifest(path, mixed_patients=True)
    assert len(cohort) == 3
    assert cohort.notes == (
        "one patient has the outcomes malignant and osteoporotic in rows 2 (case v1), 3 (case v2)",
    )


def test_one_image_of_two_patients(write: Write) -> None:
    lines = refusal(write(*changed(3, "patient", "Miller")))
    assert "one image belongs to several patients in rows 2 (case v1), 3 (case v2)" in lines[1]
    assert "Miller" not in lines[1]


@pytest.mark.parametrize("head", ["image", "mask:R1"])
def test_a_url_with_a_secret_is_refused_and_not_repeated(write: Write, head: str) -> None:
    lines = refusal(write(*changed(3, head, "s3://me:geheim@exams/P001.nrrd")))
    assert lines[1].startswith(f"  row 3, column {head!r}: ")
    assert len(lines) == 2
    assert "geheim" not in "\n".join(lines)


def test_one_mask_used_twice(write: Write) -> None:
    lines = refusal(write(*changed(4, "mask:R2", "m/3.nrrd")))
    assert lines[1].startswith("  row 4: the same mask is named more than once, in row 4 (case v3)")


def test_all_problems_are_told_at_once_and_the_patient_is_not(write: Write) -> None:
    rows = [HEAD.replace("centre", "psa ")]
    rows += ["v1,Meyer,L9,benign,A,200,x,,i,m,n", "v1,,L1,malignant,A,7,F,,j,o,p"]
    lines = refusal(write(*rows))
    text = "\n".join(lines)
    assert lines[0] == f"cases.csv: {len(lines) - 1} problems"
    wanted = ["mean the same", "Found 'L9'", "'benign'", "found 200", "found 'x'", "is empty"]
    assert all(word in text for word in [*wanted, "'v1' is used"])
    assert "Meyer" not in text


def test_the_listing_is_capped(write: Write) -> None:
    rows = [f"c{n},bad,i{n},m{n}" for n in range(50)]
    lines = refusal(write("case,outcome,image,mask", *rows))
    assert lines[0] == "cases.csv: 50 problems"
    assert len(lines) == 22
    assert lines[-1] == "  ... and 30 more"
    assert lines[1].startswith("  row 2,")


def test_nothing_below_the_header_and_nothing_at_all(write: Write) -> None:
    assert "there is no case below the header" in refusal(write(HEAD))[1]
    assert "the table is empty" in refusal(write(""))[0]


def test_files_that_are_no_manifest(write: Write, tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.csv")[0]
    assert ".csv, .tsv, .txt, .xlsx, .xlsm, .ods; found '.xls'" in refusal(tmp_path / "a.xls")[0]
    assert "not a readable XLSX workbook" in refusal(write("case", name="a.xlsx"))[0]
    assert "not a readable CSV table near line" in refusal(write(HEAD, 'a,"b'))[0]


def workbook(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("codes").append(["not this one"])
    book.save(path)
    return path


def test_xlsx(tmp_path: Path) -> None:
    rows = [
        ["case", "outcome", "age", "level", "scanned", "psa", "image", "mask", None],
        [1, "malignant", 69.4, 20, datetime.datetime(2024, 1, 2), 3, "i", "m", None],
        [None] * 9,
        ["b", "osteoporotic", "70,5", "L2", None, None, "j", "n", None],
    ]
    cohort = read_manifest(workbook(tmp_path / "cases.xlsx", rows), labels=find_scheme("verse"))
    first, second = cohort.cases
    assert (first.id, first.age, first.level) == ("1", 69.4, Level("L", 1))
    assert first.covariates == {"scanned": "2024-01-02", "psa": 3.0}
    assert (second.row, second.age) == (4, 70.5)
    assert "sheet 'Sheet' was read, not codes" in cohort.notes


def test_xlsx_errors_have_the_row_of_the_spreadsheet(tmp_path: Path) -> None:
    rows: list[list[object]] = [["case", "outcome", "image", "mask"], [None] * 4]
    path = workbook(tmp_path / "cases.xlsx", [*rows, ["a", "benign", "i", "m"]])
    assert refusal(path)[1].startswith("  row 3, column 'outcome'")


def test_check_files_lists_what_is_not_there(write: Write, tmp_path: Path) -> None:
    for name in ("i/1.nrrd", "m/1.seg.nrrd", "n/1.nrrd", "n/2.nrrd", "i/3.nrrd", "n/3.nrrd"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    cohort = read_manifest(write(*GOOD))
    with pytest.raises(ManifestError) as caught:
        check_files(cohort)
    lines = str(caught.value).splitlines()
    assert lines[0] == "cases.csv: 1 problem"
    assert re.match(r"  row 4, column 'mask:R1': case v3: there is no file '3.nrrd'", lines[1])
    (tmp_path / "m/3.nrrd").touch()
    check_files(cohort)


def test_the_frame_of_a_cohort(write: Write) -> None:
    frame = read_manifest(write(*GOOD)).to_frame()
    assert frame.index.name == "case"
    assert list(frame) == ["patient", "level", "region", "outcome", "centre", "age", "sex", "psa"]
    assert list(frame.region) == ["thoracic", "lumbar", "lumbar"]
    assert frame.dtypes.astype(str).to_dict() == dict.fromkeys(frame, "str") | {
        "age": "float64",
        "psa": "float64",
    }
    assert frame.isna().sum().sum() == 1
    assert list(Cohort(()).to_frame()) == list(frame)[:-1]


def test_printing_a_case_does_not_name_the_patient(write: Write) -> None:
    assert "Meyer" not in repr(read_manifest(write(*GOOD)))


WORDS = st.text(st.sampled_from("abcXYZäß 0-;,\"'\t"), min_size=1, max_size=8).map(str.strip)
NAMES = WORDS.filter(lambda text: text.isprintable() and text.strip(" -;,\"'") not in ("", "NA"))
NUMBERS = st.none() | st.floats(0, 120)


@given(
    ids=st.lists(NAMES, min_size=1, max_size=5, unique_by=bare_id),
    data=st.data(),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(
    tmp_path: Path, ids: list[str], data: st.DataObject, delimiter: str, encoding: str
) -> None:
    cases = [
        Case(
            id_,
            f"p {id_}",
            data.draw(st.sampled_from(["malignant", "osteoporotic"])),
            data.draw(st.none() | st.builds(Level, st.sampled_from("CTLS"), st.integers(1, 5))),
            data.draw(st.none() | NAMES),
            data.draw(NUMBERS),
            data.draw(st.sampled_from([None, "M", "F", "O"])),
            {"x": data.draw(NUMBERS), "y": data.draw(st.none() | NAMES.map("y {}".format))},
            {"default": str(tmp_path / f"i{n}")},
            {"R1": str(tmp_path / f"m{n}#{id_}")},
        )
        for n, id_ in enumerate(ids)
    ]
    head = ["case", "patient", "outcome", "level", "centre", "age", "sex", "x", "y"]
    rows: list[list] = [[*head, "image", "mask:R1"]]
    for n, c in enumerate(cases):
        row = [c.id, c.patient, c.outcome, c.level, c.centre, c.age, c.sex, *c.covariates.values()]
        rows.append([*row, f"i{n}", f"m{n}#{c.id}"])
    path = tmp_path / "cases.csv"
    path.write_bytes(csv_text(rows, delimiter).encode(encoding))
    assert read_manifest(path).cases == tuple(cases)


def test_cases_that_are_to_be_scored_need_no_outcome(write: Write) -> None:
    with_gap = write(*changed(3, "outcome", ""))
    assert [c.outcome for c in read_manifest(with_gap, optional=("outcome",)).cases] == [
        "osteoporotic", "", "malignant"
    ]  # fmt: skip
    assert "row 3, column 'outcome': the cell is empty" in "\n".join(refusal(with_gap))
    without = write("case,image,mask", "v1,i.nrrd,m.nrrd")
    assert read_manifest(without, optional=("outcome",)).cases[0].outcome == ""
    assert "the column 'outcome' is missing" in "\n".join(refusal(without))


def test_a_study_of_tables_needs_no_images(write: Write) -> None:
    path = write("case,outcome,age", "v1,malignant,71")
    found = read_manifest(path, optional=("image", "mask"))
    assert (found.cases[0].images, found.readers, found.sequences) == ({}, (), ())


def test_outcomes_under_other_names_are_one_problem_with_the_lines_to_write(write: Write) -> None:
    renamed = "case,outcome,image,mask\na,MPF,a.nrrd,am.nrrd\nb,OPF,b.nrrd,bm.nrrd\n"
    lines = refusal(write(*renamed.splitlines()))
    assert "column 'outcome': the protocol names osteoporotic and malignant" in lines[1]
    assert lines[2].strip() == 'outcome: {positive: "MPF", negative: "OPF"}'
    assert lines[3].strip() == 'outcome: {positive: "OPF", negative: "MPF"}'
    assert len(lines) == 4
    typing_error = "case,outcome,image,mask\na,malignnt,a.nrrd,am.nrrd\nb,malignant,b.nrrd,bm.nrrd"
    (line,) = refusal(write(*typing_error.splitlines()))[1:]
    assert line.endswith("found 'malignnt'. Write malignant.")


def test_what_can_be_told_apart_is_kept_beside_the_problems(write: Write) -> None:
    path = write(
        "case,outcome,age,image,mask",
        "a,malignant,old,a.nrrd,am.nrrd",
        "b,,70,b.nrrd,bm.nrrd",
        "A,malignant,70,c.nrrd,cm.nrrd",
        ",malignant,70,d.nrrd,dm.nrrd",
        "e,osteoporotic,70,e.nrrd,",
    )
    cohort, problems = examine_manifest(path)
    assert [case.id for case in cohort.cases] == ["a", "b", "e"]
    assert [(p.row, p.code) for p in problems] == [
        (2, "not-a-number"),
        (3, "empty-cell"),
        (4, "repeated-case"),
        (5, "empty-cell"),
        (6, "no-mask"),
    ]
    assert all(problem.remedy for problem in problems)


def test_a_fact_of_the_acquisition_stops_nothing(write: Write) -> None:
    texts = ("3000 ms", "2,5 s", "1500", "long", "2,500", "", "3000")
    header = "case,outcome,image,mask,tr_ms,field_strength"
    rows = [f'v{k},malignant,i{k},m{k},"{text}",1.5T' for k, text in enumerate(texts)]
    cohort = read_manifest(write(header, *rows))
    found = [case.covariates["tr_ms"] for case in cohort.cases]
    assert found == [3000, 2500, 1500, None, None, None, 3000]
    assert {case.covariates["field_strength"] for case in cohort.cases} == {1.5}
    notes = [note for note in cohort.notes if "tr_ms" in note]
    assert len(notes) == 2
    assert "column 'tr_ms', rows 5: the value is no number, 'long'" in notes[0]


def kinds(path: Path, **options: object) -> list[tuple[int, str, str]]:
    """Row, head and code of all that is wrong with a manifest."""
    _, problems = examine_manifest(path, **options)  # type: ignore[arg-type]
    return [(problem.row, problem.column, problem.code) for problem in problems]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("age", "-0.1", "bad-age"),
        ("age", "130", "bad-age"),
        ("outcome", "maligne", "unknown-outcome"),
        ("case", "NaT", "no-name"),
        ("patient", "NaT", "no-name"),
        ("centre", "A" * 201, "too-long"),
        ("level", "Q7", "unknown-level"),
    ],
)
def test_the_kind_and_the_place_of_what_is_wrong(
    write: Write, column: str, value: str, code: str
) -> None:
    assert (3, column, code) in kinds(write(*changed(3, column, value)))


def test_ages_from_birth_on(write: Write) -> None:
    assert kinds(write(*changed(4, "age", "0"))) == []


def test_the_kind_of_what_is_wrong_with_a_head(write: Write) -> None:
    rows = [f"{line},1" for line in GOOD[1:]]
    for head, code in (
        ("AGE", "repeated-column"), ("missing", "taken-name"), ("x" * 201, "too-long"),
        ("mask:all", "taken-name"),
    ):  # fmt: skip
        found = kinds(write(f"{HEAD},{head}", *rows))
        assert (1, code) in [(row, kind) for row, _, kind in found], head


def test_one_mask_of_two_readers_has_a_kind(write: Write) -> None:
    found = kinds(write(*changed(3, "mask:R2", "m/1.seg.nrrd#L1")))
    assert "shared-mask" in [code for *_, code in found]


def test_an_outcome_that_is_misspelt_is_named_by_its_nearest(write: Write) -> None:
    lines = refusal(write(*changed(3, "outcome", "malignnt")))
    assert lines[1].endswith("found 'malignnt'. Write malignant.")

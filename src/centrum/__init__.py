"""Radiomics studies of vertebral compression fractures, from images to a report.

The package is read in the order of its data flow: `geometry`, `volume`, `protocol`,
`cohort`, `io`, `prepare`, `kernels`, `features`, `extract`, `table`, `agreement`,
`modelling`, `evaluate`, `report`, `frozen`; `pipeline`, `scoring`, `validating`, `writing`,
`importing` and `published` hold the verbs that the command line calls.
"""

__version__ = "0.2.2"

"""A tree of DICOM files as an archive exports it: which series is measured, and who drew on it.

`index` reads headers, `series` judges images, `masks` finds the image of each segmentation,
`readers` who drew it, `exams` puts them together. Names of files and folders decide nothing.
"""

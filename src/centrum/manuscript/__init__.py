"""What a paper about a study needs beside its report, written from the study's own records."""

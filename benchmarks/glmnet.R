# glmnet, asked on standard input; seconds of CPU per run on standard output.
#
#     load NAME                     read NAME.x and NAME.y of the folder given as argument
#     path ALPHA THRESH REPEATS     the regularisation path
#     cv ALPHA THRESH REPEATS       with its 10-fold cross-validation, cases dealt in turns
#     version                       of R and glmnet

suppressMessages(library(glmnet))
folder <- commandArgs(trailingOnly = TRUE)[1]

doubles <- function(name, ending) {
  path <- file.path(folder, paste0(name, ending))
  readBin(path, "double", file.info(path)$size / 8)
}

work <- list(
  path = function(alpha, thresh) {
    glmnet(X, y, family = "binomial", alpha = alpha, thresh = thresh)
  },
  cv = function(alpha, thresh) {
    fold <- rep(1:10, length.out = length(y))
    cv.glmnet(X, y, family = "binomial", alpha = alpha, thresh = thresh, foldid = fold)
  }
)

input <- file("stdin", "r")
while (length(line <- readLines(input, n = 1)) > 0) {
  asked <- strsplit(line, " ")[[1]]
  if (asked[1] == "load") {
    y <- doubles(asked[2], ".y")
    X <- matrix(doubles(asked[2], ".x"), length(y))
    reply <- paste(dim(X), collapse = " ")
  } else if (asked[1] == "version") {
    reply <- paste0("R ", getRversion(), ", glmnet ", packageDescription("glmnet")$Version)
  } else {
    number <- as.numeric(asked[2:4])
    used <- system.time(
      for (i in seq_len(number[3])) work[[asked[1]]](number[1], number[2]),
      gcFirst = TRUE
    )
    reply <- format(sum(used[1:2]) / number[3], digits = 6)
  }
  cat(reply, "\n", sep = "")
  flush(stdout())
}

# The numbers of a study by R, from its tables: Rscript tests/recompute/by_r.R STUDY > numbers.json
#
# Names are those of recompute.py. Intervals and P values of independent cases are given only where
# each patient has one case; calibration and odds ratios are clustered by patient where not.

suppressPackageStartupMessages({
  library(jsonlite); library(pROC); library(psych); library(rms); library(sva)
})
folder <- commandArgs(trailingOnly = TRUE)[1]
at <- function(...) file.path(folder, "results", ...)
long <- read.csv(at("features.csv"), check.names = FALSE)
scores <- read.csv(at("scores.csv"), check.names = FALSE)
predictions <- read.csv(at("predictions.csv"))
fit <- fromJSON(at("fit.json"))$model
readers <- unique(long$reader)
obs <- long[long$reader == readers[1], ]
obs <- obs[match(scores$case, obs$case), ]
second <- long[long$reader == readers[2], ]
second <- second[match(scores$case, second$case), ]
features <- grep("^f[0-9]+$", names(long), value = TRUE)
test <- scores$part == "test"
train <- !test
y <- as.numeric(obs$outcome == "malignant")
alone <- !any(duplicated(obs$patient))
found <- list()
keep <- function(name, value) found[[name]] <<- unname(as.numeric(value))
three <- function(name, value, lower, upper) {
  keep(paste(name, "value"), value)
  keep(paste(name, "lower"), lower)
  keep(paste(name, "upper"), upper)
}
z <- qnorm(0.975)

# Agreement: psych
agreed <- c()
for (f in features) {
  both <- psych::ICC(cbind(obs[[f]], second[[f]]), lmer = FALSE)$results
  row <- both[both$type == "ICC2", ]
  keep(paste("icc", f, "value"), row$ICC)
  keep(paste("icc", f, "f"), row$F)
  if (alone) {
    keep(paste("icc", f, "lower"), row$`lower bound`)
    keep(paste("icc", f, "upper"), row$`upper bound`)
    keep(paste("icc", f, "p"), row$p)
  }
  own <- psych::ICC(cbind(obs[[f]], second[[f]])[train, ], lmer = FALSE)$results
  if (own$ICC[own$type == "ICC2"] >= 0.75) agreed <- c(agreed, f)
}
keep("features that readers agree on", length(agreed))

# Table 1: stats; Lilliefors' P by Dallal and Wilkinson, good up to .1
normal <- function(x) {
  n <- length(x); s <- sort((x - mean(x)) / sd(x)); p <- pnorm(s)
  d <- max(seq_len(n) / n - p, p - (seq_len(n) - 1) / n)
  if (n > 100) { d <- d * (n / 100)^0.49; n <- 100 }
  exp(-7.01256 * d^2 * (n + 2.78019) + 2.99587 * d * sqrt(n + 2.78019) - 0.122119 +
        0.974598 / sqrt(n) + 1.67997 / n) >= 0.05
}
compared <- function(x, by) {
  if (is.numeric(x)) {
    a <- split(x, by)
    if (all(sapply(a, normal))) return(t.test(a[[1]], a[[2]])$p.value)
    return(suppressWarnings(wilcox.test(a[[1]], a[[2]], correct = FALSE)$p.value))
  }
  counts <- table(by, x)
  if (min(suppressWarnings(chisq.test(counts)$expected)) < 5) return(fisher.test(counts)$p.value)
  chisq.test(counts, correct = FALSE)$p.value
}
everyone <- rep(TRUE, nrow(obs))
sides <- list(list("outcome", everyone, obs$outcome), list("side", everyone, test),
              list("outcome, training", train, obs$outcome),
              list("outcome, test", test, obs$outcome))
for (v in c("level", "region", "age", "sex", "scanner")) for (s in sides) {
  own <- data.frame(v = obs[[v]], by = s[[3]], patient = obs$patient)[s[[2]], ]
  if (v %in% c("age", "sex")) own <- own[!duplicated(own[c("patient", "by")]), ]
  keep(paste("table1", v, "by", s[[1]]), compared(own$v, own$by))
}

# Discrimination: pROC
curve <- function(x, rows) roc(y[rows], x[rows], levels = c(0, 1), direction = "<")
area <- function(name, r) {
  a <- as.numeric(auc(r))
  keep(paste(name, "value"), a)
  if (alone) {
    half <- z * sqrt(var(r, method = "delong")) / (a * (1 - a))
    keep(paste(name, "lower"), plogis(qlogis(a) - half))
    keep(paste(name, "upper"), plogis(qlogis(a) + half))
  }
}
compare <- function(name, a, b) {
  keep(paste(name, "value"), as.numeric(auc(a)) - as.numeric(auc(b)))
  if (alone) {
    t <- roc.test(a, b, paired = TRUE, method = "delong", conf.level = 0.95)
    keep(paste(name, "p"), t$p.value)
    keep(paste(name, "lower"), t$conf.int[1])
    keep(paste(name, "upper"), t$conf.int[2])
  }
}
own <- curve(scores$score, test)
area("auc test", own)
area("auc out_of_fold", curve(scores$out_of_fold, train))
keep("auc train value", auc(curve(scores$score, train)))
other <- scores[[paste0("score:", readers[2])]]
area(paste0("auc, ", readers[2]), curve(other, test))
compare(paste0("delong, ", readers[2]), curve(other, test), own)
best <- coords(curve(scores$out_of_fold, train), "best", best.method = "youden")
keep("cutoff", min(best$threshold))

# Calibration: rms; clustered by patient with m / (m - 1)
p <- predictions$probability[match(scores$case[test], predictions$case)]
owner <- obs$patient
robust <- function(model, who) {
  if (alone) return(vcov(model))
  m <- length(unique(who))
  vcov(robcov(model, who)) * m / (m - 1)
}
data <- data.frame(y = y[test], l = qlogis(p))
line <- lrm(y ~ l, data, x = TRUE, y = TRUE, tol = 1e-14, eps = 1e-12, maxit = 100)
v <- robust(line, owner[test])
for (k in 1:2) {
  b <- coef(line)[k]
  three(paste("calibration", c("intercept", "slope")[k]), b, b - z * sqrt(v[k, k]),
        b + z * sqrt(v[k, k]))
}
values <- val.prob(p, y[test], pl = FALSE, m = 10)
keep("brier", values["Brier"])
keep("unreliability p", values["U:p"])
keep("unreliability statistic", values["U:Chi-sq"])
keep("nagelkerke", values["R2"])
if (alone) {
  large <- glm(y ~ offset(l), binomial, data, epsilon = 1e-14)
  three("calibration in the large", coef(large), coef(large) - z * sqrt(vcov(large)),
        coef(large) + z * sqrt(vcov(large)))
}
groups <- cut(p, unique(quantile(p, 0:10 / 10)), include.lowest = TRUE)
o <- tapply(y[test], groups, sum); e <- tapply(p, groups, sum); n <- tapply(p, groups, length)
chi <- sum((o - e)^2 / e + (e - o)^2 / (n - e))
keep("hosmer-lemeshow statistic", chi)
keep("hosmer-lemeshow p", pchisq(chi, length(n), lower.tail = FALSE))

# Clinical variables, the score, both
z_of <- function(x) (x - mean(x[train])) / sqrt(mean((x[train] - mean(x[train]))^2))
known <- data.frame(y = y, age = z_of(obs$age), sex = z_of(as.numeric(obs$sex == "M")))
spread <- sqrt(mean((scores$out_of_fold[train] - mean(scores$out_of_fold[train]))^2))
known$score <- ifelse(train, scores$out_of_fold, scores$score) / spread
fitted <- function(formula) lrm(formula, known[train, ], x = TRUE, y = TRUE, tol = 1e-14,
                                eps = 1e-12, maxit = 100)
clinical <- fitted(y ~ age + sex); both <- fitted(y ~ age + sex + score)
areas <- list(clinical = curve(predict(clinical, known), test), score = own,
              combined = curve(predict(both, known), test))
for (name in names(areas)) area(paste("auc", name), areas[[name]])
for (pair in list(c("combined", "clinical"), c("combined", "score"), c("score", "clinical")))
  compare(paste("delong", pair[1], "-", pair[2]), areas[[pair[1]]], areas[[pair[2]]])
added <- if (alone) clinical$deviance[2] - both$deviance[2] else
  coef(both)["score"]^2 / robust(both, owner[train])["score", "score"]
keep("added statistic", added)
keep("added p", pchisq(added, 1, lower.tail = FALSE))

# Odds ratios per unit, each variable alone and all together
known <- data.frame(y = y, age = obs$age, sex = as.numeric(obs$sex == "M"),
                    score = scores$out_of_fold)
for (variable in c("age", "sex", "score")) for (kind in c("alone", "together")) {
  model <- fitted(if (kind == "alone") reformulate(variable, "y") else y ~ age + sex + score)
  b <- coef(model)[variable]; se <- sqrt(robust(model, owner[train])[variable, variable])
  name <- paste("odds", variable, kind)
  three(name, b, b - z * se, b + z * se); keep(paste(name, "p"), 2 * pnorm(-abs(b / se)))
}

# Readers: psych, stats
called <- predictions$called[match(scores$case[test], predictions$case)]
recalled <- as.numeric(other[test] >= min(best$threshold))
k <- cohen.kappa(cbind(called, recalled))
keep(paste0("kappa, ", readers[2], " value"), k$kappa)
if (alone) {
  keep(paste0("kappa, ", readers[2], " lower"), k$confid[1, 1])
  keep(paste0("kappa, ", readers[2], " upper"), k$confid[1, 3])
}
agree <- psych::ICC(cbind(scores$score, other)[test, ], lmer = FALSE)$results
keep(paste0("score icc, ", readers[2], " value"), agree$ICC[agree$type == "ICC2"])

# The scores of the training cases: sva, then the weights of the model
raw <- as.matrix(obs[train, agreed])
moved <- t(ComBat(t(raw), obs$scanner[train], par.prior = TRUE, prior.plots = FALSE))
scaled <- apply(moved, 2, function(x) (x - mean(x)) / sqrt(mean((x - mean(x))^2)))
score <- fit$intercept + scaled[, fit$features, drop = FALSE] %*% fit$coefficients
for (i in seq_along(score)) keep(paste("score", scores$case[train][i]), score[i])

versions <- sapply(c("base", "pROC", "psych", "rms", "sva"), function(p) as.character(packageVersion(p)))
cat(toJSON(list(versions = as.list(versions), numbers = found), auto_unbox = TRUE, digits = NA))

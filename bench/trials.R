# Sixty women, five covariates: the overlap-weighted difference by glm.fit with its sandwich. Prints trials per second.
n <- 60; p <- 5; trials <- 200
set.seed(1)
started <- proc.time()[["elapsed"]]
for (trial in seq_len(trials)) {
  x <- matrix(rnorm(n * p), n)
  score <- 0.3 * rowSums(x)
  z <- as.numeric(runif(n) < plogis(score))
  y <- as.numeric(runif(n) < plogis(score - 1))
  design <- cbind(1, x)
  fitted <- suppressWarnings(glm.fit(design, z, family = binomial()))
  e <- fitted$fitted.values
  covariance <- chol2inv(fitted$qr$qr[seq_len(p + 1), seq_len(p + 1)])
  w1 <- z * (1 - e); w0 <- (1 - z) * e
  m1 <- sum(w1 * y) / sum(w1); m0 <- sum(w0 * y) / sum(w0)
  r1 <- w1 * (y - m1) / sum(w1); r0 <- w0 * (y - m0) / sum(w0)
  pull <- crossprod(design, -e * r1 - (1 - e) * r0)
  influence <- r1 - r0 + (z - e) * drop(design %*% (covariance %*% pull))
  freedom <- n - p - 1
  reach <- qt(0.975, freedom) * sqrt(sum(influence^2) * n / freedom)
  limits <- m1 - m0 + c(-1, 1) * reach
}
cat(trials / (proc.time()[["elapsed"]] - started), "\n")

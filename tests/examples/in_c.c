#include <math.h>

/* dC_dW of X (N, D), W (D, K), P (N, K), all contiguous rows of double. */
void gradient(const double *X, const double *W, const double *P,
              long N, long D, long K, double *dC_dW)
{
    for (long i = 0; i < D * K; i++)
        dC_dW[i] = 0;
    for (long n = 0; n < N; n++)
        for (long k = 0; k < K; k++) {
            double y = 0;
            for (long d = 0; d < D; d++)
                y += X[n * D + d] * W[d * K + k];
            double e = exp(-fabs(y));
            double error = -P[n * K + k] * (y >= 0 ? e : 1) / (1 + e) / N;
            for (long d = 0; d < D; d++)
                dC_dW[d * K + k] += X[n * D + d] * error;
        }
}

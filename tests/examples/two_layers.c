/* A hidden layer of tanh, softmax with cross-entropy on top: forward and backward in plain loops.
   cc -O2 -shared -fPIC two_layers.c -o two_layers_float64.so -lm; for floats add -Dreal=float */
#include <tgmath.h>

#ifndef real
#define real double
#endif

/* N rows, D features, H hidden units, K classes. C and the gradients are added to: give zeros. */
void gradient(long N, long D, long H, long K, const real X[N][D],
              const real W1[D][H], const real b1[H], const real W2[H][K], const real b2[K],
              const real P[N][K], real C[1],
              real dC_dW1[D][H], real dC_db1[H], real dC_dW2[H][K], real dC_db2[K])
{
    for (long n = 0; n < N; n++) {
        real y_o1[H], y2[K], largest = -INFINITY;
        for (long h = 0; h < H; h++) {
            real y1 = b1[h];
            for (long d = 0; d < D; d++)
                y1 += X[n][d] * W1[d][h];
            y_o1[h] = tanh(y1);
        }
        for (long k = 0; k < K; k++) {
            y2[k] = b2[k];
            for (long h = 0; h < H; h++)
                y2[k] += y_o1[h] * W2[h][k];
            largest = fmax(largest, y2[k]);
        }

        real sum = 0, p = 0; /* p is 1 where the labels of a row are a distribution */
        for (long k = 0; k < K; k++) {
            sum += exp(y2[k] - largest);
            p += P[n][k];
        }
        real dC_dy2[K];
        for (long k = 0; k < K; k++) {
            real log_y_o2 = y2[k] - largest - log(sum);
            C[0] -= P[n][k] * log_y_o2 / N;
            dC_dy2[k] = (exp(log_y_o2) * p - P[n][k]) / N;
            dC_db2[k] += dC_dy2[k];
        }

        for (long h = 0; h < H; h++) {
            real dC_dy_o1 = 0;
            for (long k = 0; k < K; k++) {
                dC_dW2[h][k] += y_o1[h] * dC_dy2[k];
                dC_dy_o1 += dC_dy2[k] * W2[h][k];
            }
            real dC_dy1 = dC_dy_o1 * (1 - y_o1[h] * y_o1[h]);
            dC_db1[h] += dC_dy1;
            for (long d = 0; d < D; d++)
                dC_dW1[d][h] += X[n][d] * dC_dy1;
        }
    }
}

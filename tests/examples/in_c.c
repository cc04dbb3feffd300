/* The gradients of two networks as a program: the post's, and a hidden layer of tanh below a softmax.
   It reads a case a line and writes an answer a line.
   cc -O2 in_c.c -o in_c -lm; verify run --candidate ./in_c */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char POST[] =
    "{\"layers\":[{\"activation\":\"sigmoid\",\"bias\":false,\"weights\":true}],"
    "\"cost\":\"cross-entropy\",\"reduction\":\"rows\",\"weight_decay\":0.0}";
static const char HIDDEN[] =
    "{\"layers\":[{\"activation\":\"tanh\",\"bias\":true,\"weights\":true},"
    "{\"activation\":\"softmax\",\"bias\":true,\"weights\":true}],"
    "\"cost\":\"cross-entropy\",\"reduction\":\"rows\",\"weight_decay\":0.0}";

/* Arrays that are freed after the answer. */
static void *kept[32];
static int many;

static void *zeros(long count)
{
    return kept[many++] = calloc(count, sizeof(double));
}

/* What follows a value, or a member of an object: a comma, or the end of what it is in. */
static const char *after(const char *at)
{
    int depth = 0;
    do {
        if (*at == '"')
            while (*++at != '"')
                at += *at == '\\';
        depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
        at++;
    } while (depth > 0 || !strchr(",]}", *at));
    return at;
}

/* The value of a member of the object at `at`. */
static const char *member(const char *at, const char *name)
{
    size_t length = strlen(name);
    while (*at++ != '}') {
        if (!strncmp(at + 1, name, length) && at[length + 1] == '"')
            return at + length + 3;
        at = after(at);
    }
    return "null,";
}

/* The numbers of an array of the case, row by row. */
static void *numbers(const char *line, const char *name)
{
    const char *at = member(line, name), *end = after(at);
    double *found = zeros(end - at), *next = found;
    while (at < end)
        if (strchr("[],", *at))
            at++;
        else
            *next++ = strtod(at, (char **)&at);
    return found;
}

/* How long an axis of an array of the case is. */
static long size(const char *line, const char *name, int axis)
{
    double *shape = numbers(member(line, "shapes"), name);
    return shape[axis];
}

/* A link by its name: a matrix with so many columns, or without any a vector. */
static void print(char before, const char *name, const void *link, long count, long columns)
{
    const double *found = link;
    printf("%c\"%s\":%s", before, name, columns ? "[[" : "[");
    for (long i = 0; i < count; i++)
        printf("%s%.17g", !i ? "" : columns && i % columns == 0 ? "],[" : ",", found[i]);
    printf(columns ? "]]" : "]");
}

static void post(const char *line)
{
    long N = size(line, "X", 0), D = size(line, "X", 1), K = size(line, "W", 1);
    double (*X)[D] = numbers(line, "X"), (*W)[K] = numbers(line, "W"), (*P)[K] = numbers(line, "P");
    double (*y)[K] = zeros(N * K), (*dC_dy)[K] = zeros(N * K), (*dC_dW)[K] = zeros(D * K);

    for (long n = 0; n < N; n++) {
        for (long d = 0; d < D; d++)
            for (long k = 0; k < K; k++)
                y[n][k] += X[n][d] * W[d][k];
        for (long k = 0; k < K; k++)
            dC_dy[n][k] = -P[n][k] / (1 + exp(y[n][k])) / N;
        for (long d = 0; d < D; d++)
            for (long k = 0; k < K; k++)
                dC_dW[d][k] += X[n][d] * dC_dy[n][k];
    }

    print('{', "y", y, N * K, K);
    print(',', "dC_dy", dC_dy, N * K, K);
    print(',', "dC_dW", dC_dW, D * K, K);
    printf("}");
}

static void hidden(const char *line)
{
    long N = size(line, "X", 0), D = size(line, "X", 1);
    long H = size(line, "W2", 0), K = size(line, "W2", 1);
    double (*X)[D] = numbers(line, "X"), (*P)[K] = numbers(line, "P");
    double (*W1)[H] = numbers(line, "W1"), *b1 = numbers(line, "b1");
    double (*W2)[K] = numbers(line, "W2"), *b2 = numbers(line, "b2");
    double (*y1)[H] = zeros(N * H), (*y_o1)[H] = zeros(N * H), (*dC_dy1)[H] = zeros(N * H);
    double (*y2)[K] = zeros(N * K), (*dC_dy2)[K] = zeros(N * K);
    double (*dC_dW1)[H] = zeros(D * H), *dC_db1 = zeros(H);
    double (*dC_dW2)[K] = zeros(H * K), *dC_db2 = zeros(K);

    for (long n = 0; n < N; n++) {
        for (long h = 0; h < H; h++) {
            y1[n][h] = b1[h];
            for (long d = 0; d < D; d++)
                y1[n][h] += X[n][d] * W1[d][h];
            y_o1[n][h] = tanh(y1[n][h]);
        }

        double largest = -INFINITY, sum = 0, p = 0; /* p is 1 where labels are a distribution */
        for (long k = 0; k < K; k++) {
            y2[n][k] = b2[k];
            for (long h = 0; h < H; h++)
                y2[n][k] += y_o1[n][h] * W2[h][k];
            largest = fmax(largest, y2[n][k]);
        }
        for (long k = 0; k < K; k++) {
            sum += exp(y2[n][k] - largest);
            p += P[n][k];
        }

        for (long k = 0; k < K; k++) {
            dC_dy2[n][k] = (exp(y2[n][k] - largest) / sum * p - P[n][k]) / N;
            dC_db2[k] += dC_dy2[n][k];
        }
        for (long h = 0; h < H; h++) {
            double dC_dy_o1 = 0;
            for (long k = 0; k < K; k++) {
                dC_dW2[h][k] += y_o1[n][h] * dC_dy2[n][k];
                dC_dy_o1 += dC_dy2[n][k] * W2[h][k];
            }
            dC_dy1[n][h] = dC_dy_o1 * (1 - y_o1[n][h] * y_o1[n][h]);
            dC_db1[h] += dC_dy1[n][h];
            for (long d = 0; d < D; d++)
                dC_dW1[d][h] += X[n][d] * dC_dy1[n][h];
        }
    }

    print('{', "y1", y1, N * H, H);
    print(',', "y_o1", y_o1, N * H, H);
    print(',', "y2", y2, N * K, K);
    print(',', "dC_dy2", dC_dy2, N * K, K);
    print(',', "dC_dW2", dC_dW2, H * K, K);
    print(',', "dC_db2", dC_db2, K, 0);
    print(',', "dC_dy1", dC_dy1, N * H, H);
    print(',', "dC_dW1", dC_dW1, D * H, H);
    print(',', "dC_db1", dC_db1, H, 0);
    printf("}");
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        const char *network = member(line, "network");
        if (!strncmp(network, POST, strlen(POST)))
            post(line);
        else if (!strncmp(network, HIDDEN, strlen(HIDDEN)))
            hidden(line);
        else
            printf("{\"error\":\"neither the post's network nor tanh below a softmax\"}");
        putchar('\n');
        fflush(stdout);
        while (many)
            free(kept[--many]);
    }
    return 0;
}

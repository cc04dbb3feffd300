// The gradients of two networks as a program: the post's, and a hidden layer of tanh below a softmax.
// It reads a case a line and writes an answer a line: verify run --candidate "node in_javascript.js"
"use strict";
const { createInterface } = require("node:readline");

const sum = (values) => values.reduce((a, b) => a + b, 0);
const transposed = (A) => A[0].map((_, j) => A.map((row) => row[j]));
const each = (f, A, B) => A.map((row, i) => row.map((a, j) => f(a, B && B[i][j])));
const plus = (A, b) => A.map((row) => row.map((a, j) => a + b[j]));
const sumOfRows = (A) => transposed(A).map(sum);

function product(A, B) {
  const columns = transposed(B);
  return A.map((row) => columns.map((column) => sum(row.map((a, i) => a * column[i]))));
}

function softmax(row) {
  const largest = Math.max(...row);
  const e = row.map((y) => Math.exp(y - largest));
  return e.map((value) => value / sum(e));
}

function post({ X, W, P }) {
  const N = X.length;
  const y = product(X, W);
  const dC_dy = each((p, y) => -p / (1 + Math.exp(y)) / N, P, y);
  return { y, dC_dy, dC_dW: product(transposed(X), dC_dy) };
}

function hidden({ X, W1, b1, W2, b2, P }) {
  const N = X.length;
  const y1 = plus(product(X, W1), b1);
  const y_o1 = each(Math.tanh, y1);
  const y2 = plus(product(y_o1, W2), b2);
  const y_o2 = y2.map(softmax);
  const dC_dy2 = y_o2.map((row, n) => row.map((y_o, k) => (y_o * sum(P[n]) - P[n][k]) / N));
  const dC_dW2 = product(transposed(y_o1), dC_dy2);
  const dC_db2 = sumOfRows(dC_dy2);
  const dC_dy_o1 = product(dC_dy2, transposed(W2));
  const dC_dy1 = each((d, y_o) => d * (1 - y_o * y_o), dC_dy_o1, y_o1);
  const dC_dW1 = product(transposed(X), dC_dy1);
  const dC_db1 = sumOfRows(dC_dy1);
  return { y1, y_o1, y2, y_o2, dC_dy2, dC_dW2, dC_db2, dC_dy_o1, dC_dy1, dC_dW1, dC_db1 };
}

// The networks by their layers; what else there is of them is the same.
const NETWORKS = { "sigmoid,false": post, "tanh,true,softmax,true": hidden };

function answer(request) {
  const { layers, cost, reduction, weight_decay } = request.network;
  const known = NETWORKS[layers.flatMap((layer) => [layer.activation, layer.bias])];
  const usual = layers.every((layer) => layer.weights) && weight_decay === 0;
  if (!known || !usual || cost !== "cross-entropy" || reduction !== "rows") {
    return { error: "neither the post's network nor tanh below a softmax" };
  }
  return known(request);
}

createInterface({ input: process.stdin }).on("line", (line) => {
  console.log(JSON.stringify(answer(JSON.parse(line))));
});

// A hidden layer of tanh, softmax with cross-entropy on top, judged on one exported case:
// verify export out FILE.toml; node two_layers.js out/FILE/CASE.json [wrong]
"use strict";
const fs = require("fs");

function number(text) {
  const parts = /^(-?)0x([01])\.([0-9a-f]+)p([+-]\d+)$/.exec(text);
  if (!parts) return Number(text === "inf" ? "Infinity" : NaN);
  const [, sign, whole, digits, exponent] = parts;
  const fraction = Number("0x" + whole + digits) * 2 ** (-4 * digits.length);
  const half = Math.trunc(Number(exponent) / 2); // 2 ** -1074 alone is no normal number
  return (sign ? -1 : 1) * fraction * 2 ** half * 2 ** (Number(exponent) - half);
}
const numbers = (value) => (Array.isArray(value) ? value.map(numbers) : number(value));

const sum = (values) => values.reduce((a, b) => a + b, 0);
const transposed = (A) => A[0].map((_, j) => A.map((row) => row[j]));
const product = (A, B) =>
  A.map((row) => transposed(B).map((column) => sum(row.map((a, i) => a * column[i]))));
const plus = (A, b) => A.map((row) => row.map((a, j) => a + b[j]));
const each = (f, A, B) => A.map((row, i) => row.map((a, j) => f(a, B && B[i][j])));
const sumOfRows = (A) => transposed(A).map(sum);

function logSoftmax(row) {
  const largest = Math.max(...row);
  const log = Math.log(sum(row.map((y) => Math.exp(y - largest))));
  return row.map((y) => y - largest - log);
}

// Every link by its name, in the order of the computation.
function links({ X, W1, b1, W2, b2, P }, slope) {
  const N = X.length;
  const y1 = plus(product(X, W1), b1);
  const y_o1 = each(Math.tanh, y1);
  const y2 = plus(product(y_o1, W2), b2);
  const log_y_o2 = y2.map(logSoftmax);
  const y_o2 = each(Math.exp, log_y_o2);
  const C = -sum(each((p, log) => p * log, P, log_y_o2).map(sum)) / N;
  const dC_dy2 = y_o2.map((row, n) => row.map((y_o, k) => (y_o * sum(P[n]) - P[n][k]) / N));
  const dC_dW2 = product(transposed(y_o1), dC_dy2);
  const dC_db2 = sumOfRows(dC_dy2);
  const dC_dy_o1 = product(dC_dy2, transposed(W2));
  const dC_dy1 = each((d, y_o) => d * slope(y_o), dC_dy_o1, y_o1);
  const dC_dW1 = product(transposed(X), dC_dy1);
  const dC_db1 = sumOfRows(dC_dy1);
  return { y1, y_o1, y2, y_o2, C, dC_dy2, dC_dW2, dC_db2, dC_dy_o1, dC_dy1, dC_dW1, dC_db1 };
}

// The largest |found - exact| / bound of a link's entries: right where it is at most 1.
function worst(found, exact, bound) {
  if (Array.isArray(found)) {
    return Math.max(...found.map((value, i) => worst(value, exact[i], bound[i])));
  }
  const error = Math.abs(found - exact);
  return error === 0 ? 0 : error / bound;
}

const file = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const arrays = ["X", "W1", "b1", "W2", "b2", "P"].map((name) => [name, numbers(file[name])]);
const slope = process.argv[3] === "wrong" ? () => 1 : (y_o) => 1 - y_o * y_o;
const ratios = Object.entries(links(Object.fromEntries(arrays), slope)).map(
  ([name, found]) => [name, worst(found, numbers(file.exact[name]), numbers(file.bound[name]))],
);
const broken = ratios.filter(([, ratio]) => !(ratio <= 1)).map(([name]) => name);
console.log(JSON.stringify({ worst: Math.max(...ratios.map(([, ratio]) => ratio)), broken }));

// Reads an exported case with nothing but the language, computes the gradient, and compares.
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

const matrix = (rows) => rows.map((row) => row.map(number));
const found = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const [X, W, P] = [found.X, found.W, found.P].map(matrix);
const [exact, bound] = [found.exact.dC_dW, found.bound.dC_dW].map(matrix);
const wrong = process.argv[3] === "wrong" ? 2 : 1;

let worst = 0;
for (let d = 0; d < found.sizes.D; d++) {
  for (let k = 0; k < found.sizes.K; k++) {
    let g = 0;
    for (let n = 0; n < found.sizes.N; n++) {
      const y = X[n].reduce((sum, x, i) => sum + x * W[i][k], 0);
      g -= (X[n][d] * P[n][k]) / (1 + Math.exp(y));
    }
    const error = Math.abs((wrong * g) / found.sizes.N - exact[d][k]);
    worst = Math.max(worst, error / bound[d][k]);
  }
}
console.log(JSON.stringify({ worst, cells: X.length * X[0].length, first: X[0][0] }));

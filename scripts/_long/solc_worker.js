"use strict";

// A compiler that stays: one standard JSON input a line comes in, one output a line goes out. Started anew it would spend
// longer on loading the compiler than on a contract.

const solc = require(process.argv[2]);

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => console.log(solc.compile(line)));

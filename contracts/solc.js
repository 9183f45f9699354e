"use strict";

// Reads all of standard input and leaves without process.exit(): the command line of npm's solc reads with a blocking
// call, which fails with EAGAIN on a pipe, and exits before a pipe has taken more than its first 64 KiB.

async function main(args) {
  if (args.includes("--version")) {
    console.log("solc, the solidity compiler commandline interface");
    console.log(`Version: ${require("solc").version()}`);
    return;
  }
  if (!args.includes("--standard-json")) {
    console.error("This compiler answers --version and --standard-json only.");
    process.exitCode = 1;
    return;
  }
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  // Both callers pass every source in the input, so nothing is ever read from disk.
  console.log(require("solc").compile(Buffer.concat(chunks).toString("utf8")));
}

main(process.argv.slice(2));

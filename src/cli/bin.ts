#!/usr/bin/env node
// The first file of the command: says in one line that Node is too old, where newer files would fail with a syntax error.
// Kept in old syntax and without imports, so that an old Node can read it.

var found = process.versions.node.split(".");
var isOld = Number(found[0]) < 24 || (Number(found[0]) === 24 && Number(found[1]) < 12);
if (isOld) {
  console.error(
    "Error [config/invalid] Bosun needs Node 24.12 or newer; this is Node " +
      process.versions.node +
      ". Install a newer one: https://nodejs.org",
  );
  process.exit(2);
} else {
  void import("./main.ts");
}

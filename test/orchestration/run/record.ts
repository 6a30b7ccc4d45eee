// A customer's record of any length, with a few facts that stand at known places in it.

/** About so many estimated tokens of contract, letters and notes; the facts are spread over it. */
export function customerRecord(tokens: number): string {
  const lines = ["# Customer 4711", "Ann Lee, customer since 2011, policy HX-2044."];
  let characters = 0;
  for (let year = 2011; characters < tokens * 4; year++) {
    lines.push("", `# Correspondence of ${year}`);
    for (let letter = 1; letter <= 200; letter++) {
      const line = `Letter ${letter} of ${year}: the parties confirm receipt of form ${letter * 7} and see no need to act.`;
      lines.push(line);
      characters += line.length + 1;
      if (year === 2013 && letter === 90)
        lines.push("The deductible for water damage was set to 450 euros.");
      if (year === 2015 && letter === 120)
        lines.push(
          "On 3 March the cellar was flooded after a burst pipe; the damage is 12,300 euros.",
        );
    }
  }
  return lines.join("\n");
}

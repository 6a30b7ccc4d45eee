// A customer's record of about 200,000 tokens: fifteen years of letters, and the few facts that a claim turns on.

const SUBJECTS = ["address", "payment", "bank account", "brochure", "renewal", "newsletter"];

/** What matters, by the year and the number of the letter after which it stands. */
const FACTS: Readonly<Record<string, string>> = {
  "2012-40":
    "The contract HX-2044 covers water damage in the house. The deductible for water damage is 450 euros.",
  "2019-77":
    "The customer confirms that the cellar has a drain pump and that the pump is serviced each year.",
  "2024-130":
    "On 3 March 2024 a pipe burst and the cellar was flooded. The expert puts the water damage at 12,300 euros.",
};

export function customerRecord(): string {
  const lines = ["# Customer 4711", "Ann Lee, customer since 2010, contract HX-2044."];
  for (let year = 2010; year < 2025; year++) {
    lines.push("", `# Correspondence of ${year}`);
    for (let letter = 1; letter <= 480; letter++) {
      const subject = SUBJECTS[(letter + year) % SUBJECTS.length];
      lines.push(
        `Letter ${letter}: the customer writes about the ${subject}; the letter was answered on the same day, and nothing is open.`,
      );
      const fact = FACTS[`${year}-${letter}`];
      if (fact !== undefined) lines.push("", fact, "");
    }
  }
  return lines.join("\n");
}

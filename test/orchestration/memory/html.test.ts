import { describe, expect, it } from "vitest";
import { htmlToText } from "../../../src/orchestration/memory/html.ts";

describe("htmlToText", () => {
  it("gives what a reader sees, in Markdown's notation", () => {
    const page = htmlToText(`<!DOCTYPE html><html><head><title>
      The &quot;title&quot; </title><style>p{}</style></head><body><!-- note --><nav>menu</nav>
      <h1 class="a>b">Head</h1><p>One
        two <b>three</b>.</p><ul><li>first<li>second</ul><pre>  code
    &lt;kept&gt;</pre><table><tr><th>a<th>b</tr><tr><td>1</td><td>2</td></tr></table>
      <script>if (a < b) alert("<p>no</p>")</script>line<br>break 5 &lt; 6 &amp;&#x41;&#66;&nbsp;&mdash;&unknown; a < b</body></html>`);

    expect(page.title).toBe('The "title"');
    expect(page.text).toBe(
      "# Head\n\nOne two three.\n\n- first\n- second\n\n```\n  code\n    <kept>\n```\n\n| a | b |\n| 1 | 2 |\n\nline\nbreak 5 < 6 &AB —&unknown; a < b",
    );
  });

  it.each([
    ["", ""],
    ["plain text", "plain text"],
    ["a < b > c <3", "a < b > c <3"],
    ["<p>never closed", "never closed"],
    ["text<script>never closed", "text"],
    ["text<!-- never closed", "text"],
    ['<a href="never closed>text</a> more', "text more"],
    ["&#0;&#1114112;&#xffffff;", "&#0;&#1114112;&#xffffff;"],
    ["<title></title>x<title>y</title>", "x"],
    ["</p></pre></x>", ""],
  ])("reads %j as %j", (html, expected) => {
    expect(htmlToText(html).text).toBe(expected);
  });

  it("takes the first title that has words", () => {
    expect(htmlToText("<title>One</title><svg><title>Two</title></svg>").title).toBe("One");
    expect(htmlToText("<p>none</p>").title).toBeUndefined();
  });

  it.each(["<", "<a", "<script>", "</", '<a "', "<!--", "&#", "<pre>", "<title>", "<p>", "&amp;"])(
    "takes linear time for a megabyte of %j",
    (piece) => {
      expect(() => htmlToText(piece.repeat(1_000_000 / piece.length))).not.toThrow();
    },
    5_000,
  );
});

/** The look of the page: light, dark, narrow, printed. Charts take their colours from the variables. */

/** Colours of series: Okabe and Ito's set for readers who see few colours, darkened or lightened for the ground. */
const light = ['#0060a8', '#b84a00', '#00795a', '#a0408a', '#7a6000', '#2e7d9a', '#8c2f2f', '#4d4d4d'];
const dark = ['#6cb6ff', '#ff9e5e', '#4fd1a5', '#e59ad0', '#e3c94f', '#8fd3ec', '#ff9c9c', '#c4c4c4'];

export const seriesCount = light.length;

const variables = (colours: readonly string[]) => colours.map((colour, i) => `--s${i}: ${colour};`).join(' ');

const lightGround = `--ground: #ffffff; --ink: #1c1f23; --faint: #5c636b; --line: #d5d9de; --shade: #f4f6f8; ${variables(light)}`;
const darkGround = `--ground: #14171a; --ink: #e6e8ea; --faint: #a3abb3; --line: #3a4047; --shade: #1e2327; ${variables(dark)}`;

export const style = `
:root { color-scheme: light dark; ${lightGround} }
@media (prefers-color-scheme: dark) { :root { ${darkGround} } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 88rem; padding: 1rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 2.5rem 0 0.5rem; border-bottom: 1px solid var(--line); padding-bottom: 0.3rem; }
h3 { font-size: 1.05rem; margin: 1.8rem 0 0.4rem; }
p, ul { margin: 0.4rem 0; }
.faint, figcaption, .legend { color: var(--faint); font-size: 0.875rem; }
.finding { font-size: 1.1rem; margin: 0.6rem 0; }
/* A shadow stands at the side where more is; what scrolls along covers it at the end. */
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px;
  background: linear-gradient(to left, var(--ground) 40%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to right, var(--ground) 40%, transparent) left / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--faint), transparent) right / 0.8rem 100% no-repeat scroll,
    linear-gradient(to right, var(--faint), transparent) left / 0.8rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: 0.875rem; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.4rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
tbody:last-child tr:last-child > *, tbody:last-child > tr:first-child > [rowspan] { border-bottom: 0; }
thead th { background: var(--shade); font-weight: 600; white-space: normal; vertical-align: bottom; line-height: 1.25; }
th[scope=row], td.text, th.text { text-align: left; }
th[scope=row] { font-weight: 500; position: sticky; left: 0; background: var(--ground); white-space: normal; min-width: 9rem; }
.dense th, .dense td { padding-top: 0.1rem; padding-bottom: 0.1rem; }
.dense [rowspan] { vertical-align: top; }
.dense .system { position: sticky; left: 0; background: var(--ground); text-align: left; font-weight: 500; white-space: normal; }
th.middle { text-align: center; }
td.group, th.group { border-left: 1px solid var(--line); }
td small, th small { display: block; color: var(--faint); font-weight: 400; line-height: 1.1; }
td.prose { white-space: normal; min-width: 16rem; }
td.best { font-weight: 700; }
td.second u { text-underline-offset: 3px; }
.number { display: inline-block; min-width: 1.4em; text-align: center; border-radius: 4px; color: var(--ground); font-weight: 700;
  font-size: 0.8em; padding: 0 0.2em; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
${light.map((_, i) => `.s${i} { background: var(--s${i}); }`).join('\n')}
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1rem; margin-bottom: 1rem; }
figure { margin: 0; border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem; }
figcaption { margin-top: 0.4rem; }
figure svg { display: block; width: 100%; max-width: 30rem; height: auto; color: var(--ink); }
.key { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; padding: 0; list-style: none; }
.query { border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem 0.8rem; margin: 0.8rem 0; }
.query h4 { margin: 0 0 0.3rem; font-size: 1rem; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 0.4rem 1.5rem; }
.sides ol { margin: 0.2rem 0; padding-left: 1.6rem; font-size: 0.875rem; }
.sides li { margin: 0.25rem 0; }
.relevant { background: var(--shade); border-left: 4px solid var(--s2); padding-left: 0.4rem; }
h4 code { font-weight: 400; }
code { font-size: 0.85em; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1rem; font-size: 0.875rem; margin: 0.4rem 0; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
.explore { border: 1px solid var(--line); border-radius: 6px; padding: 0 0.8rem 0.6rem; margin: 1rem 0; }
.controls { display: flex; flex-wrap: wrap; gap: 0.3rem 1rem; margin: 0.4rem 0; font-size: 0.875rem; }
.controls label { max-width: 100%; overflow-wrap: anywhere; }
.controls select, .controls input[type=search], button.sort { font: inherit; color: inherit; max-width: 100%; }
.controls select, .controls input[type=search] { background: var(--ground); border: 1px solid var(--line); border-radius: 4px; padding: 0.15rem 0.3rem; }
button.sort { background: none; border: 0; padding: 0; text-align: inherit; cursor: pointer; font-weight: inherit; }
[aria-sort=descending] button.sort::after { content: ' ▾'; }
[aria-sort=ascending] button.sort::after { content: ' ▴'; }
.drawing svg { display: block; width: 100%; max-width: 48rem; height: auto; }
.drawing text { font-size: 11px; fill: currentColor; }
.drawing text.on { fill: var(--ground); font-weight: 700; pointer-events: none; }
.drawing .point:focus circle { stroke: var(--ink); stroke-width: 3; }
.drawing .spot { fill: var(--s0); fill-opacity: 0.45; stroke: var(--s0); }
.told { min-height: 3em; overflow-wrap: anywhere; }
/* What stays while figures go by must leave them room, be the name of a system as long as it is. */
@media (max-width: 34rem) { th[scope=row], .dense .system { overflow-wrap: anywhere; min-width: 8rem; } dl { grid-template-columns: 1fr; } dd { margin-bottom: 0.3rem; } body { padding: 0.6rem; } th.middle { text-align: left; } }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  :root { ${lightGround} }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .wide { overflow: visible; border: 0; background: none; }
  table { font-size: 6.8pt; }
  th, td { padding: 0.15rem 0.2rem; }
  th[scope=row], .dense .system { position: static; min-width: 5rem; }
  .charts { grid-template-columns: repeat(3, 1fr); }
  figure, .query, .block, tr { break-inside: avoid; }
  figcaption, .faint, .legend, dl, .sides ol { font-size: 8pt; }
  h2, h3, h3 + .faint { break-after: avoid; }
  .controls { display: none; }
}
`;

/** Draws charts to SVG, with Vega-Lite; no browser and no script in the page is needed. */
import type { TopLevelSpec } from 'vega-lite';

export type Chart = Omit<TopLevelSpec & object, 'config'> & Record<string, unknown>;

/** As wide as a narrow phone shows without scaling. */
export const chartWidth = 300;
export const chartHeight = 210;

/** Everything takes its colour from the page, so that light and dark need one picture. */
const config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    titleFontWeight: 500,
    labelFontSize: 11,
    titleFontSize: 12,
    domainColor: 'currentColor',
    tickColor: 'currentColor',
    domainOpacity: 0.5,
    tickOpacity: 0.5,
    gridColor: 'currentColor',
    gridOpacity: 0.13,
    tickCount: 5,
    labelFlush: true,
  },
} as const;

/** @returns one `svg` element */
export async function draw(chart: Chart, description: string): Promise<string> {
  const [{ parse, View }, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const { spec } = compile({ ...chart, description, config } as unknown as TopLevelSpec);
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

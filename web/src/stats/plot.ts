import uPlot from 'uplot';
import type { Point } from '../api/types';
import type { EventType } from '../api/types';
import { number } from '../ui/numbers';

/** What a chart shows, and how it tells what the pointer is at. */
export interface Plot {
  points: readonly Point[];
  before: readonly Point[];
  label: (seconds: number) => string;
  at: (index: number | null, left: number) => void;
}

/** The lines, in the order in which they are drawn. */
export const lines = ['open', 'click', 'reply'] as const satisfies readonly EventType[];

/** dataOf is a column each: times, sends, the earlier opens, and the lines. */
export function dataOf({ points, before }: Plot): uPlot.AlignedData {
  const column = (type: EventType) => points.map(({ types }) => types[type] ?? 0);
  return [
    points.map(({ start }) => Date.parse(start) / 1000),
    column('send'),
    points.map((_, i) => before[i]?.types['open'] ?? null),
    ...lines.map(column),
  ];
}

/** draw makes a chart in a node, in the colours of the theme that is on. */
export function draw(node: HTMLElement, plot: Plot, height: number): uPlot {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${style.getPropertyValue('--font')}`;
  const axis = {
    stroke: token('--ink-3'),
    font,
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars?.({ size: [0.56, 28] });
  const line = (type: EventType): uPlot.Series => ({
    stroke: token(`--ev-${type}-solid`),
    width: 1.75,
    points: { show: false },
    ...(type === 'open' && { fill: fade(token('--ev-open-solid')) }),
  });
  return new uPlot(
    {
      width: node.clientWidth,
      height,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
      scales: {
        // Half a step at both ends, so that no bar is cut.
        x: { range: (_, first, last) => pad(first, last, plot.points.length) },
        y: { range: (_, __, most) => [0, Math.max(4, most * 1.1)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          gap: 8,
          size: 32,
          space: 96,
          values: (_, splits) => splits.map((at) => plot.label(at)),
        },
        {
          ...axis,
          size: 44,
          grid: { stroke: token('--line'), width: 1 },
          space: 44,
          values: (_, splits) => splits.map((n) => (Number.isInteger(n) ? number(n) : '')),
        },
      ],
      series: [
        {},
        {
          stroke: 'transparent',
          fill: token('--line-2'),
          points: { show: false },
          ...(bars && { paths: bars }),
        },
        { stroke: token('--line-control'), width: 1.5, dash: [2, 3], points: { show: false } },
        ...lines.map(line),
      ],
      hooks: {
        setCursor: [(chart) => plot.at(chart.cursor.idx ?? null, chart.cursor.left ?? 0)],
      },
    },
    dataOf(plot),
    node,
  );
}

function pad(first: number, last: number, count: number): [number, number] {
  const half = count > 1 ? (last - first) / (count - 1) / 2 : 43_200;
  return [first - half, last + half];
}

/** The area under a line fades to nothing. */
function fade(colour: string): (chart: uPlot) => CanvasGradient {
  return ({ ctx, bbox }) => {
    const gradient = ctx.createLinearGradient(0, bbox.top, 0, bbox.top + bbox.height);
    gradient.addColorStop(0, `${colour}29`);
    gradient.addColorStop(1, `${colour}00`);
    return gradient;
  };
}

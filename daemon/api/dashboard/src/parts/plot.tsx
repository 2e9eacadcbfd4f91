// Lines over time, with marks where something is odd. Drawn by uPlot; the words beside it are ours.
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colour, repaint } from "../theme";
import { kMostLines, type Line, type PlotData } from "./series";

const kMarkRadius = 5;

interface Props {
  data: PlotData;
  height: number;
  label: string;
  /** Told when somebody has zoomed in, or out again. */
  onZoom?: (zoomed: boolean) => void;
  /** Rates and the like: the axis begins at zero. */
  fromZero?: boolean;
  /** Zoomed in: new data do not move it. */
  held?: boolean;
}

export function Plot(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const shape = props.data.lines.map((line) => line.label).join("\n") + props.data.isTime;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const unwatch = effect(() => {
      repaint.value;
      plot.current?.destroy();
      plot.current = new uPlot(options(element, latest), aligned(latest.current.data), element);
    });
    const resize = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: latest.current.height }),
    );
    resize.observe(element);
    return () => {
      resize.disconnect();
      unwatch();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, props.height]);

  useEffect(() => {
    plot.current?.setData(aligned(props.data), props.held !== true);
    if (props.held) plot.current?.redraw();
  }, [props.data, props.held]);

  return <div class="plot" ref={place} role="img" aria-label={props.label} />;
}

const aligned = (data: PlotData): uPlot.AlignedData => [data.x, ...data.lines.map((line) => line.values)];

type Latest = { current: Props };

function options(element: HTMLElement, latest: Latest): uPlot.Options {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const { data, height } = latest.current;
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false } },
    scales: { x: { time: data.isTime }, ...(latest.current.fromZero ? { y: { range: upFromZero } } : {}) },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    axes: [
      data.isTime ? { ...axis, space: 80, size: 32, values: times } : { ...axis, size: 32 },
      { ...axis, size: 56 },
    ],
    series: [{}, ...data.lines.map((line, i) => series(line, i))],
    hooks: {
      draw: [(plot) => drawMarks(plot, latest.current.data)],
      setSelect: [(plot) => plot.select.width > 0 && latest.current.onZoom?.(true)],
    },
  };
}

const upFromZero = (_plot: uPlot, _least: number, most: number): [number, number] => [0, most > 0 ? most * 1.1 : 1];

/** UTC, as fine as the steps are. */
function times(_plot: uPlot, splits: number[], _axis: number, _space: number, step: number): string[] {
  return splits.map((seconds) => {
    const text = new Date(seconds * 1000).toISOString(); // 2026-01-31T12:34:56.789Z
    if (step >= 86_400) return text.slice(0, 10);
    if (step >= 60) return seconds % 86_400 === 0 ? text.slice(5, 10) : text.slice(11, 16);
    return step >= 1 ? text.slice(11, 19) : text.slice(11, 21);
  });
}

function series(line: Line, index: number): uPlot.Series {
  return {
    label: line.label,
    stroke: colour(`--line-${(index % kMostLines) + 1}`),
    width: 1.6,
    spanGaps: true,
    points: { show: false },
  };
}

function drawMarks(plot: uPlot, data: PlotData): void {
  const { ctx } = plot;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour("--mark");
  ctx.fillStyle = colour("--mark-fill");
  ctx.lineWidth = 2 * scale;
  for (const line of data.lines)
    line.marked?.forEach((marked, i) => {
      const value = line.values[i];
      const x = data.x[i];
      if (!marked || value === null || value === undefined || x === undefined) return;
      const left = plot.valToPos(x, "x", true);
      if (left < plot.bbox.left || left > plot.bbox.left + plot.bbox.width) return;
      ctx.beginPath();
      ctx.arc(left, plot.valToPos(value, "y", true), kMarkRadius * scale, 0, 2 * Math.PI);
      ctx.fill();
      ctx.stroke();
    });
  ctx.restore();
}

/** Which colour is which line. */
export function Legend({ lines, marks }: { lines: readonly Line[]; marks?: string }) {
  return (
    <ul class="legend">
      {lines.map((line, i) => (
        <li key={line.label}>
          <i class={`swatch line-${(i % kMostLines) + 1}`} aria-hidden="true" />
          {line.label}
        </li>
      ))}
      {marks && (
        <li>
          <i class="swatch mark" aria-hidden="true" />
          {marks}
        </li>
      )}
    </ul>
  );
}

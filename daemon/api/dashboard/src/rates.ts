// Rates from counters: over the last seconds, as a counter moves only from commit to commit.

const kWindow = 8_000;

interface Sample {
  at: number;
  value: number;
}

export class Rates {
  private readonly samples = new Map<string, Sample[]>();

  /** A counter's value now. One that went back was begun anew. */
  add(key: string, value: number, at = performance.now()): void {
    const known = this.samples.get(key) ?? [];
    const last = known[known.length - 1];
    if (last && value < last.value) known.length = 0;
    known.push({ at, value });
    while (known.length > 2 && (known[1]?.at ?? at) <= at - kWindow) known.shift();
    this.samples.set(key, known);
  }

  /** Per second; null: seen once only. */
  of(key: string): number | null {
    const known = this.samples.get(key);
    const first = known?.[0];
    const last = known?.[known.length - 1];
    if (!first || !last || last.at - first.at < 500) return null;
    return ((last.value - first.value) * 1000) / (last.at - first.at);
  }
}

const SAMPLES = 4_096;
/** Distance of the 99th percentile from the median in standard deviations of the normal distribution. */
const Z99 = 2.326;

/** A log-normal distribution by two of its percentiles, milliseconds, drawn from a seeded table: a draw costs one load. */
export class LatencyTable {
  private readonly table = new Uint16Array(SAMPLES);
  private next = 0;

  constructor(p50Ms: number, p99Ms: number, seed: number) {
    const sigma = p50Ms === 0 ? 0 : Math.log(p99Ms / p50Ms) / Z99;
    const uniform = mulberry32(seed);
    for (let i = 0; i < SAMPLES; i += 1) {
      // Stratified: the table itself has the percentiles it promises; only the order is drawn.
      this.table[i] = Math.round(p50Ms * Math.exp(sigma * normalQuantile((i + 0.5) / SAMPLES)));
    }
    for (let i = SAMPLES - 1; i > 0; i -= 1) {
      const j = Math.floor(uniform() * (i + 1));
      const kept = this.table[i] ?? 0;
      this.table[i] = this.table[j] ?? 0;
      this.table[j] = kept;
    }
  }

  draw(): number {
    this.next = (this.next + 1) % SAMPLES;
    return this.table[this.next] ?? 0;
  }
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The value that a standard normal variable stays below with that probability, to 4.5e-4 (Abramowitz and Stegun 26.2.23). */
function normalQuantile(probability: number): number {
  const tail = Math.min(probability, 1 - probability);
  const t = Math.sqrt(-2 * Math.log(tail));
  const z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  return probability < 0.5 ? -z : z;
}

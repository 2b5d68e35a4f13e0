import { faster, type Slice } from './slice';

const sending = (...rates: number[]): Slice[] =>
  rates.map((rate) => ({ seconds: 2, arrivals: [], sent: 2 * rate, refused: 0, cpuMs: {} }));

describe('which of two forms of an arm counts', () => {
  it('is the one with the better median, whatever its first slice was', () => {
    const one = sending(11_273, 11_182, 11_300);
    const perCore = sending(10_900, 13_300, 12_600);
    expect(faster(one, perCore)).toBe(perCore);
    expect(faster(perCore, one)).toBe(perCore);
  });

  it('is not decided by a single good slice', () => {
    const one = sending(11_273, 11_182, 11_300);
    expect(faster(one, sending(13_300, 10_900, 11_000))).toBe(one);
  });
});

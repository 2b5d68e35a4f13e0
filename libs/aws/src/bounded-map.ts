/** A map that forgets what was used longest ago once it is full, so that a cache cannot grow without end. */
export class BoundedMap<Value> {
  private readonly entries = new Map<string, Value>();

  constructor(
    private readonly limit: number,
    private readonly forgotten: (value: Value) => void = () => undefined,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  /** The value, which now counts as used last. */
  get(key: string): Value | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  set(key: string, value: Value): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= this.limit) return;
    const [oldest] = this.entries.keys();
    if (oldest === undefined) return;
    const old = this.entries.get(oldest);
    this.entries.delete(oldest);
    if (old !== undefined) this.forgotten(old);
  }

  values(): IterableIterator<Value> {
    return this.entries.values();
  }

  delete(key: string): void {
    this.entries.delete(key);
  }
}

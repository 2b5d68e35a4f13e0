/**
 * With more messages than this due or about to be, no further ticket is claimed: they would miss their slots here, and another
 * worker may have time. Less than what is claimed and comes due within some 100 ms leaves a saturated worker waiting
 * (1,000: 4,500 messages/s; 5,000: 9,500/s); more only makes them later (20,000: 7,500/s).
 */
const MOST_DUE = 4_000;

interface Waiting {
  readonly messages: number;
  readonly enter: () => void;
}

/** Holds tickets back while this process has more to send than it can. */
export class ClaimRoom {
  private readonly waiting: Waiting[] = [];
  private claiming = 0;
  private isOpen = false;

  /** `due` counts the messages that are claimed and due, or soon will be. */
  constructor(private readonly due: () => number) {}

  /** Resolves when there is room for a claim; its messages count from then on until they `leave`. */
  async enter(messages: number): Promise<void> {
    if (this.waiting.length > 0 || this.isFull) {
      await new Promise<void>((enter) => {
        this.waiting.push({ messages, enter });
      });
    } else this.claiming += messages;
  }

  /** For a claim that cannot wait: it counts, whether there is room or not. */
  force(messages: number): void {
    this.claiming += messages;
  }

  /** The claim has ended: what it got is due, or given back. */
  leave(messages: number): void {
    this.claiming -= messages;
    this.look();
  }

  /** To be called whenever less is due than before: lets in who waits, in their order. */
  look(): void {
    while (this.waiting.length > 0 && !this.isFull) {
      const first = this.waiting.shift();
      this.claiming += first?.messages ?? 0;
      first?.enter();
    }
  }

  /** The process is going down: from now on nobody waits here. */
  open(): void {
    this.isOpen = true;
    this.look();
  }

  private get isFull(): boolean {
    return !this.isOpen && this.claiming + this.due() > MOST_DUE;
  }
}

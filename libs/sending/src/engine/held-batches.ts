import type { BatchId } from '@libs/kernel';
import { Injectable } from '@nestjs/common';

/** The batches this process is working on: nobody else may judge them while it lives. */
@Injectable()
export class HeldBatches {
  private readonly held = new Set<BatchId>();

  get size(): number {
    return this.held.size;
  }

  /** False when it is held already (Bull delivered the ticket twice). */
  add(id: BatchId): boolean {
    if (this.held.has(id)) return false;
    this.held.add(id);
    return true;
  }

  has(id: BatchId): boolean {
    return this.held.has(id);
  }

  delete(id: BatchId): void {
    this.held.delete(id);
  }
}

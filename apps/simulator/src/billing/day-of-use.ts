/** What one account used in one region on one day, UTC. */
export interface DayOfUse {
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly account: string;
  readonly region: string;
  recipients: number;
  /** Bytes of attachments times recipients. */
  attachmentBytes: number;
  publishes: number;
  deliveryAttempts: number;
}

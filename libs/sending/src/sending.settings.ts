/** What an installation may set about sending. */
export class SendingSettings {
  /** Days of a plan's daily cap that may wait: beyond, accepting answers PLAN_QUOTA_EXCEEDED. */
  readonly admissionDays: number;

  constructor(options: { readonly admissionDays?: number } = {}) {
    this.admissionDays = options.admissionDays ?? 3;
  }
}

import type { MailText } from '../ses/template.policy';

const MOST_MAILS = 2_000;
const MOST_CHARACTERS = 16_000_000;

/** What the newest accepted mails say, for whoever wants to see what arrives. In memory only; raw content is not read. */
export class MailShelf {
  private readonly mails = new Map<string, MailText>();
  private characters = 0;

  put(messageId: string, { subject, html, text }: MailText): void {
    const mail = { subject, html, text };
    this.mails.set(messageId, mail);
    this.characters += charactersOf(mail);
    for (const [oldest, gone] of this.mails) {
      if (this.mails.size <= MOST_MAILS && this.characters <= MOST_CHARACTERS) return;
      this.mails.delete(oldest);
      this.characters -= charactersOf(gone);
    }
  }

  find(messageId: string): MailText | undefined {
    return this.mails.get(messageId);
  }

  clear(): void {
    this.mails.clear();
    this.characters = 0;
  }
}

function charactersOf({ subject, html = '', text = '' }: MailText): number {
  return subject.length + html.length + text.length;
}

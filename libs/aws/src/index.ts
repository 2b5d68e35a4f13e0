export type { AccountSnapshot, PricingPlan } from './account-snapshot.policy';
export { AwsModule } from './aws.module';
export { TestModeOff } from './aws.settings';
export type { AwsOptions } from './aws.settings';
export { refusesSharing, type BulkOutcome } from './bulk-answer.policy';
export {
  contentBytes,
  goTogether,
  mayGoTogether,
  MOST_CONTENT_BYTES,
  MOST_DESTINATIONS,
  SEND_BULK_EMAIL_PATH,
  sendBulkEmailBody,
} from './bulk-mail.policy';
export { CredentialCache } from './credential-cache.service';
export type { FleetRole } from './fleet-role';
export { SEND_EMAIL_PATH, sendEmailBody } from './outgoing-mail.policy';
export type { OutgoingMail } from './outgoing-mail.policy';
export { classifySession, type OutcomeClass } from './send-outcome.policy';
export { sendSessionPolicy } from './send-session.policy';
export { CONNECTIONS } from './send-pools';
export { SesControl } from './ses-control.service';
export type { DedicatedIpInfo, SesAccountControl } from './ses-control.service';
export { SesSender } from './ses-sender.service';
export { SigV4Signer } from './sigv4.policy';
export { SnsControl } from './sns-control.service';
export { StsControl } from './sts-control.service';

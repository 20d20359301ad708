import type { components, operations } from './schema';

/** The shapes of /openapi.json that the page reads: see "npm run types". */
type Schemas = components['schemas'];

export type Item = Schemas['Item'];
export type EventType = Item['type'];
export type Person = Schemas['Person'];
export type User = Schemas['User'];
/** opened is null when not opened, absent when opened at a time that is not kept. */
export type Recipient = Schemas['Recipient'];
export type Chip = Schemas['Chip'];
export type Understood = Schemas['Understood'];
export type Answer = Schemas['Answer'];
export type AnswerTable = Schemas['AnswerTable'];
export type TableRow = Schemas['TableRow'];
export type AnswerCount = Schemas['AnswerCount'];
export type AnsweredPerson = Schemas['AnsweredPerson'];
export type Page = Schemas['Page'];
export type Message = Schemas['MessageView'];
export type Session = Schemas['SessionView'];
export type EventDetail = Schemas['EventView'];
export type Settings = Schemas['Settings'];
export type SettingsRequest = Schemas['SettingsRequest'];
export type Key = Schemas['Key'];
export type KeyRequest = Schemas['KeyRequest'];
export type Member = Schemas['Member'];
export type Team = Schemas['Team'];
export type TeamRequest = Schemas['TeamRequest'];
export type MemberChange = Schemas['Change'];
export type Invitation = Schemas['Invitation'];
export type InvitationRequest = Schemas['InvitationRequest'];
export type PersonRole = InvitationRequest['role'];
export type Provider = Schemas['ProviderView'];
export type ProviderList = Schemas['ProviderList'];
export type ProviderRequest = Schemas['ProviderRequest'];
export type ProviderTest = Schemas['ProviderTest'];
export type GroupRule = Schemas['GroupRule'];
export type SignInWays = Schemas['SignInWays'];
export type SignInProvider = Schemas['SignInProvider'];
export type SignedIn = Schemas['Session'];
export type DeadLetters = Schemas['DeadLetterPage'];
export type DeadLetter = Schemas['DeadLetterView'];
export type DeadReasons = Schemas['ReasonList'];
export type DeadReason = Schemas['ReasonView'];
export type DeadChoice = Schemas['DeadLetterChoice'];
export type DeadReceipt = Schemas['DeadLetterReceipt'];
export type Suggestions = Schemas['Suggestions'];
export type SavedSearch = Schemas['SavedSearch'];
export type Source = Schemas['SourceView'];
export type SourceRequest = Schemas['SourceRequest'];
export type SourceTest = Schemas['SourceTest'];
export type Tries = Schemas['Tries'];
export type TryRequest = Schemas['TryRequest'];
export type Payload = Schemas['PayloadView'];
export type Endpoint = Schemas['EndpointView'];
export type EndpointRequest = Schemas['EndpointRequest'];
export type EndpointKind = EndpointRequest['kind'];
export type Delivery = Schemas['DeliveryView'];
export type DeliveryTry = Schemas['TryView'];
export type Rejected = Schemas['RejectedView'];
export type Replayed = Schemas['ReplayReceipt'];
export type Scanners = Schemas['Scanners'];
export type ScannerSuggestion = Schemas['ScannerSuggestion'];
export type Stats = Schemas['Stats'];
export type PersonView = Schemas['PersonView'];
export type CompanyView = Schemas['CompanyView'];
export type Contact = Omit<PersonView, 'email' | 'name' | 'domain'>;
export type Nudge = Schemas['NudgeView'];
export type NudgeMessage = Schemas['NudgeMessage'];
export type Call = Schemas['CallView'];
export type CallReason = Schemas['CallReason'];
export type FollowUp = Schemas['FollowUp'];
export type FollowUpRequest = Schemas['FollowUpRequest'];
export type ContactMessage = Schemas['ContactMessage'];
export type Rate = Schemas['Rate'];
export type Point = Schemas['Point'];
export type Problem = Partial<Schemas['Problem']>;

/** What the feed and the statistics are asked. */
export type FeedQuery = NonNullable<operations['get-feed']['parameters']['query']>;
export type StatsQuery = NonNullable<operations['get-stats']['parameters']['query']>;
/** The conditions that both share, without what is asked of them. */
export type SearchQuery = Pick<FeedQuery, 'q' | 'type' | 'user' | 'automated' | 'tz'>;

export type Automated = 'hide' | 'show' | 'only';

/** All types there are, in the order of the server. */
const all: Record<EventType, true> = {
  send: true,
  delivery: true,
  open: true,
  click: true,
  download: true,
  reply: true,
  meeting: true,
  bounce: true,
  complaint: true,
  unsubscribe: true,
  custom: true,
};
export const eventTypes = Object.keys(all) as readonly EventType[];
export type AuditRow = Schemas['AuditRow'];
export type AuditQuery = NonNullable<operations['list-audit']['parameters']['query']>;

/** The document says of references that they are null in words alone. */
export type Decision = Omit<Schemas['DecisionView'], 'event'> & { event: Item | null };
export type DecisionPage = Omit<Schemas['DecisionPage'], 'items'> & { items: Decision[] };
export type WhyTold = Omit<Schemas['WhyView'], 'decision' | 'now'> & {
  decision: Decision | null;
  now: Decision;
};
export type NoteSettings = Schemas['NotificationSettings'];
export type PushDeviceRequest = Schemas['PushDeviceRequest'];
export type PushDevice = Schemas['PushDevice'];
export type PushDeviceList = Schemas['PushDeviceList'];
export type NotesInForce = Schemas['SettingsInForce'];
export type NoteChange = Schemas['NotificationChange'];
export type NoteDefaults = Schemas['NotificationDefaults'];
export type NoteDefaultsChange = Schemas['NotificationDefaultsChange'];
export type NoteRule = Schemas['NotificationRule'];
export type RuleRequest = Schemas['RuleRequest'];
export type RulePreview = Schemas['RulePreview'];
export type Mute = Schemas['Mute'];
export type Quiet = Schemas['Quiet'];
export type Cell = Schemas['Cell'];

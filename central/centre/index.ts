export { CentreConditions, type CentreFacts } from './conditions.ts';
export { type LeadParts, Leading } from './lead.ts';

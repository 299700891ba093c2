export { storeFigures, type StoreFigures } from './figures.ts';
export { certificateFigures, watchProcess } from './machine.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export type {
  CertificateFigure,
  CountedTerminal,
  Counts,
  LookupFigures,
  MetricSources,
  ProcessFigures,
} from './sources.ts';

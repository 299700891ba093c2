export { type CollectionRow, ProblemList, readCollection, type RowProblem } from './collection.ts';
export { describeEdition, publishEdition, type PublishOrder, verifyEdition } from './publish.ts';
export { type CollectionRecord, optionalColumns, requiredColumns } from './record.ts';

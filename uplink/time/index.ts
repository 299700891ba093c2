export { type FloorParts, TimeFloor } from './floor.ts';
export { floorFile, isPlausible, readFloor } from './floor-file.ts';
export { raiseClock, type Raised, type RaiseParts } from './raise-clock.ts';
export { timeResetType } from './reset.ts';

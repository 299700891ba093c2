export { type Capture, type CaptureOptions, type Listening, macOf, startCapture } from './capture.ts';
export { judge, type Judged, leaks, type Open } from './judge.ts';
export { describePacket, type Packet } from './packet.ts';

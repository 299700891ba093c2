export {
  type Controller,
  type ControllerListener,
  type ControllerParts,
  startController,
} from './controller.ts';

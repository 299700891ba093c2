export { reconcileRouting, type Reconciled } from './reconcile.ts';
export {
  gatewayOf,
  planRouting,
  type RoutedUplink,
  type RoutingInput,
  type RoutingPlan,
  rulePriorities,
  type Way,
} from './routing.ts';

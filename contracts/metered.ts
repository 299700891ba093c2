/**
 * From this MQTT keep-alive on, in seconds, a terminal keeps to the metered profile: it says little, and the centre hears
 * late that it is gone.
 */
export const meteredKeepAlive = 600;

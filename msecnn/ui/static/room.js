// The room of a class: the lecturer's part of it for whoever came by his link, a phone's for everybody else.

import { isLecturer, mountLead } from "./room_lead.js";
import { mountPhone } from "./room_phone.js";

export const mountRoom = (/** @type {HTMLElement} */ place) => (isLecturer ? mountLead : mountPhone)(place);

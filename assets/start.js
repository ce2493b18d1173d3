/**
 * Starts Dash: the last script of the page.
 *
 * Dash has this line inline, which a strict Content-Security-Policy forbids.
 */
window.renderer = new window.DashRenderer();

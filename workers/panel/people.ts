/** How the panel's contract writes a user: jobs, sites and the audit trail name people this way. */
export const operatorName = (userId: number) => `usr_${userId}`;
